import { describe, expect, test } from "bun:test";
import { Template } from "./mod.ts";

const container = {
  Id: "f8f28425a1b78fcd32454c07edfe2e67eb5b9e82b8026cf9ce0fad4896251841",
  Name: "/web",
  State: { Status: "running", Running: true, Pid: 4711 },
  Config: { Env: ["A=1", "B=2"], Cmd: ["sleep", "600"], Entrypoint: null, Volumes: null, Labels: { a: "b", c: "d" } },
  HostConfig: { Memory: 67108864, PidsLimit: null, Binds: null, PortBindings: {} },
  NetworkSettings: {
    Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }], "90/tcp": null },
    Networks: { bridge: { IPAddress: "172.17.0.2" } },
  },
  Created: "2026-11-22T02:22:43Z",
};

// Expected texts are what docker 26.1 prints for such a container.
describe("templates over JSON", () => {
  test.each([
    ["{{.State.Status}}", "running"],
    ["{{json .State}}", '{"Status":"running","Running":true,"Pid":4711}'],
    ["{{.Config.Cmd}}", "[sleep 600]"],
    ["{{.Config.Labels}}", "map[a:b c:d]"],
    ["{{.Config.Labels.a}} {{.Config.Labels.zz}}", "b <no value>"],
    ['{{index .Config.Labels "a"}}|{{index .Config.Labels "zz"}}|', "b||"],
    ["{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n"],
    ["{{range $i, $e := .Config.Cmd}}{{if $i}}, {{end}}{{$e}}{{end}}", "sleep, 600"],
    ["{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}", "bridge=172.17.0.2"],
    ["{{range .HostConfig.Binds}}x{{else}}none{{end}}", "none"],
    ["{{range .Config.Env}}{{.}}{{break}}{{end}}", "A=1"],
    ["{{with .State}}{{.Pid}}{{end}}", "4711"],
    ["{{if and .State.Running (not false)}}yes{{else}}no{{end}}", "yes"],
    ["{{if .HostConfig.PortBindings}}p{{else if .State.Running}}r{{else}}n{{end}}", "r"],
    ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "8080"],
    ["{{.HostConfig.Memory}} {{.HostConfig.Binds}} {{.HostConfig.PidsLimit}}", "67108864 [] <nil>"],
    ["{{.Config.Entrypoint}} {{.Config.Volumes}} {{json .Config.Entrypoint}}", "[] map[] null"],
    ["{{.HostConfig.PortBindings}} {{.Config.StopSignal}}|", "map[] |"],
    ['{{join .Config.Cmd ","}} {{split .Name "e"}} {{upper .State.Status}}', "sleep,600 [/w b] RUNNING"],
    ['{{printf "%.3s|%-8s|%6d|%q" .Id .State.Status 7 .Name}}', 'f8f|running |     7|"/web"'],
    ["{{truncate .Id 5}} {{slice .Id 0 4}} {{len .Config.Env}}", "f8f28 f8f2 2"],
    ['{{eq .Name "/a" "/web"}} {{ne 1 2}} {{lt 1 2}} {{ge 2 2}} {{gt "b" "a"}}', "true true true true true"],
    ['{{/* nothing */}}a{{- " b " -}} c', "a b c"],
    ["{{$x := .State.Pid}}{{$x}} {{$.Name}}", "4711 /web"],
    ['{{.State.Pid | printf "%05d"}} {{title .State.Status}} {{pad .Name 1 2}}|', "04711 Running  /web  |"],
    ["{{if .State.Health}}h{{else}}none{{end}}", "none"],
    ['{{print 1 2}} {{print "a" "b"}} {{html "<&>"}}', "1 2 ab &lt;&amp;&gt;"],
  ])("%s", (source, expected) => {
    expect(new Template(source).execute(container)).toBe(expected);
  });

  test.each([
    ["{{.Foo}}", 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
    ["{{.State.Foo}}", 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"'],
    [
      "{{.State.Health.Status}}",
      'template: :1:8: executing "" at <.State.Health.Status>: nil pointer evaluating Status',
    ],
    ["{{.ID", "template: :1: unclosed action"],
    ["{{foo .Id}}", 'template: :1: function "foo" not defined'],
    [
      '{{(index (index .NetworkSettings.Ports "1/tcp") 0).HostPort}}',
      'template: :1:3: executing "" at <index (index .NetworkSettings.Ports "1/tcp") 0>: error calling index: index of untyped nil',
    ],
    [
      "{{index .Config.Cmd 7}}",
      'executing "" at <index .Config.Cmd 7>: error calling index: reflect: slice index out of range',
    ],
    ["{{if}}{{end}}", "template: :1: missing value for if"],
    ["{{end}}", "template: :1: unexpected {{end}}"],
    ["{{range .Config.Env}}", "template: :1: unexpected EOF"],
    ["{{$x}}", 'template: :1: undefined variable "$x"'],
  ])("%s fails with Go's words", (source, message) => {
    expect(() => new Template(source).execute(container)).toThrow(message);
  });
});

describe("templates over rows", () => {
  const row = { ID: () => "abc", Ports: () => "1->2", Label: (name: string) => `<${name}>` };

  test("fields are called, with their argument", () => {
    expect(new Template('{{.ID}} {{.Label "x"}}').execute(row)).toBe("abc <x>");
  });

  test("json has the fields without argument, sorted, HTML escaped as Go does", () => {
    expect(new Template("{{json .}}").execute(row)).toBe('{"ID":"abc","Ports":"1-\\u003e2"}');
  });

  test("an unknown field names the row's type", () => {
    expect(() => new Template("{{.Foo}}").execute(row, { typeName: "*formatter.ContainerContext" })).toThrow(
      'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext',
    );
  });
});
