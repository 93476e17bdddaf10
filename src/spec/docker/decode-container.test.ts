import { describe, expect, test } from "bun:test";
import { decodeContainerBody, decodeContainerCreate } from "./decode-container.ts";
import { decodeExecConfig, decodeUpdate } from "./decode-requests.ts";
import { jsonFault } from "./json-syntax.ts";

/** Bodies, and what dockerd 26.1 says to each. */
const REFUSED: readonly (readonly [body: string, message: string])[] = [
  [
    '{"HostConfig":{"Memory":"x"}}',
    "cannot unmarshal string into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
  ],
  [
    '{"HostConfig":{"Binds":"x"}}',
    "cannot unmarshal string into Go struct field HostConfig.HostConfig.Binds of type []string",
  ],
  [
    '{"HostConfig":{"Binds":[1]}}',
    "cannot unmarshal number into Go struct field HostConfig.HostConfig.Binds of type string",
  ],
  ['{"Image":1}', "cannot unmarshal number into Go struct field ContainerConfigWrapper.Config.Image of type string"],
  [
    '{"Env":{"a":1}}',
    "cannot unmarshal object into Go struct field ContainerConfigWrapper.Config.Env of type []string",
  ],
  [
    '{"Labels":{"a":1}}',
    "cannot unmarshal number into Go struct field ContainerConfigWrapper.Config.Labels of type string",
  ],
  [
    '{"Labels":[]}',
    "cannot unmarshal array into Go struct field ContainerConfigWrapper.Config.Labels of type map[string]string",
  ],
  ['{"Cmd":{"a":1}}', "cannot unmarshal object into Go struct field ContainerConfigWrapper.Config.Cmd of type string"],
  ['{"Cmd":[5]}', "cannot unmarshal array into Go struct field ContainerConfigWrapper.Config.Cmd of type string"],
  [
    '{"HostConfig":{"RestartPolicy":{"MaximumRetryCount":"x"}}}',
    "cannot unmarshal string into Go struct field RestartPolicy.HostConfig.RestartPolicy.MaximumRetryCount of type int",
  ],
  [
    '{"HostConfig":{"Memory":1.5}}',
    "cannot unmarshal number 1.5 into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
  ],
  [
    '{"HostConfig":{"BlkioWeight":70000}}',
    "cannot unmarshal number 70000 into Go struct field HostConfig.HostConfig.Resources.BlkioWeight of type uint16",
  ],
  [
    '{"HostConfig":{"Privileged":"yes"}}',
    "cannot unmarshal string into Go struct field HostConfig.HostConfig.Privileged of type bool",
  ],
  [
    '{"HostConfig":[]}',
    "cannot unmarshal array into Go struct field ContainerConfigWrapper.HostConfig of type container.HostConfig",
  ],
  ["[]", "cannot unmarshal array into Go value of type runconfig.ContainerConfigWrapper"],
  ['"x"', "cannot unmarshal string into Go value of type runconfig.ContainerConfigWrapper"],
  [
    '{"HostConfig":{"PortBindings":{"80":"x"}}}',
    "cannot unmarshal string into Go struct field HostConfig.HostConfig.PortBindings of type []nat.PortBinding",
  ],
  [
    '{"HostConfig":{"Mounts":[{"Type":1}]}}',
    "cannot unmarshal number into Go struct field Mount.HostConfig.Mounts.Type of type mount.Type",
  ],
  [
    '{"Healthcheck":{"Interval":"1s"}}',
    "cannot unmarshal string into Go struct field HealthcheckConfig.Config.Healthcheck.Interval of type time.Duration",
  ],
  [
    '{"HostConfig":{"LogConfig":{"Config":{"a":1}}}}',
    "cannot unmarshal number into Go struct field LogConfig.HostConfig.LogConfig.Config of type string",
  ],
  [
    '{"NetworkingConfig":{"EndpointsConfig":{"bridge":{"Aliases":"x"}}}}',
    "cannot unmarshal string into Go struct field EndpointSettings.NetworkingConfig.EndpointsConfig.Aliases of type []string",
  ],
  [
    '{"HostConfig":{"ConsoleSize":[1,"x"]}}',
    "cannot unmarshal string into Go struct field HostConfig.HostConfig.ConsoleSize of type uint",
  ],
  [
    '{"HostConfig":{"Ulimits":[{"Soft":"1"}]}}',
    "cannot unmarshal string into Go struct field Ulimit.HostConfig.Resources.Ulimits.Soft of type int64",
  ],
];

describe("a body of the wrong types", () => {
  for (const [body, message] of REFUSED) {
    test(`${body} names its field`, () => {
      expect(() => decodeContainerBody(body)).toThrow(`invalid JSON: json: ${message}`);
    });
  }

  test("is told of by the names of its own request", () => {
    const update = "json: cannot unmarshal string into Go struct field UpdateConfig.Resources.Memory of type int64";
    expect(() => decodeUpdate('{"Memory":"x"}')).toThrow(update);
    const exec = "json: cannot unmarshal string into Go struct field ExecConfig.Cmd of type []string";
    expect(() => decodeExecConfig('{"Cmd":"x"}')).toThrow(exec);
  });
});

describe("a body that is no JSON", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["", "invalid JSON: got EOF while reading request body"],
    ["  ", "invalid JSON: got EOF while reading request body"],
    ['{"Image":"bb"', "invalid JSON: unexpected EOF"],
    ["{", "invalid JSON: unexpected EOF"],
    ["{x", "invalid JSON: invalid character 'x' looking for beginning of object key string"],
    ["nope", "invalid JSON: invalid character 'o' in literal null (expecting 'u')"],
    ['{"a" 1}', "invalid JSON: invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid JSON: invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid JSON: invalid character '2' after array element"],
    ["[1,]", "invalid JSON: invalid character ']' looking for beginning of value"],
    ['{"a":"\\x"}', "invalid JSON: invalid character 'x' in string escape code"],
    ['{"a":-}', "invalid JSON: invalid character '}' in numeric literal"],
    ['{"a":1.}', "invalid JSON: invalid character '}' after decimal point in numeric literal"],
    ['{"Image":"bb"} x', "unexpected content after JSON"],
    ['{"Image":"bb"} {}', "unexpected content after JSON"],
  ];
  for (const [text, message] of texts) {
    test(`${JSON.stringify(text)}`, () => expect(() => decodeContainerBody(text)).toThrow(message));
  }

  test("is found wherever a right one is cut or changed", () => {
    const right = '{"a":[1,-2.5e3,"\\u00e9\\n",true,false,null,{}],"b":{"c":"d"}}';
    expect(jsonFault(right)).toBeUndefined();
    for (let at = 0; at < right.length; at++) {
      const cut = right.slice(0, at);
      expect(jsonFault(cut)).toEqual(at === 0 ? { kind: "empty" } : { kind: "syntax", message: "unexpected EOF" });
      for (const char of ['"', "{", "]", "x", "0", "\u0001"]) {
        const changed = right.slice(0, at) + char + right.slice(at + 1);
        let isJson = true;
        try {
          JSON.parse(changed);
        } catch {
          isJson = false;
        }
        expect({ changed, isJson: jsonFault(changed) === undefined }).toEqual({ changed, isJson });
      }
    }
  });
});

describe("a right body", () => {
  test("has keys in any case, unknown ones, nulls, and one string for a list", () => {
    const { config, hostConfig } = decodeContainerCreate(
      '{"IMAGE":"bb","cmd":"ls","Entrypoint":["a","b"],"Nonsense":{"x":1},"Env":null,"hostconfig":{"binds":["/a:/b"],"Init":false}}',
    );
    expect(config).toMatchObject({ Image: "bb", Cmd: ["ls"], Entrypoint: ["a", "b"], Env: null, Labels: {} });
    expect(hostConfig).toMatchObject({ Binds: ["/a:/b"], Init: false, Memory: 0, PidsLimit: null });
    expect("Healthcheck" in config).toBeFalse();
    expect("StopTimeout" in config).toBeFalse();
  });

  test("keeps zero where absence means something else", () => {
    const { config, hostConfig } = decodeContainerCreate(
      '{"Image":"bb","StopTimeout":0,"HostConfig":{"OomKillDisable":false,"PidsLimit":0}}',
    );
    expect(config.StopTimeout).toBe(0);
    expect(hostConfig).toMatchObject({ OomKillDisable: false, PidsLimit: 0 });
  });

  test("the default network has its name, and takes what was asked for the default one", () => {
    const body =
      '{"Image":"bb","HostConfig":{"NetworkMode":"default"},"NetworkingConfig":{"EndpointsConfig":{"default":{"Aliases":["x"]}}}}';
    const { hostConfig, endpoints } = decodeContainerCreate(body);
    expect(hostConfig.NetworkMode).toBe("bridge");
    expect(endpoints).toMatchObject({ bridge: { Aliases: ["x"] } });
  });

  test("may have limits at its top, as before API 1.18", () => {
    const { hostConfig } = decodeContainerCreate(
      '{"Image":"bb","Memory":5,"CpuShares":7,"HostConfig":{"Memory":6},"Cpuset":"0"}',
    );
    expect(hostConfig).toMatchObject({ Memory: 6, CpuShares: 7, CpusetCpus: "0" });
  });

  test("without a configuration makes no container", () => {
    for (const body of ["{}", "null", '{"HostConfig":{}}']) {
      expect(() => decodeContainerCreate(body)).toThrow("config cannot be empty in order to create a container");
    }
  });
});
