import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArguments } from "../../../args/parse.ts";
import { parseCpus } from "./checks.ts";
import { readAssignments } from "./files.ts";
import { containerFlags } from "./flags.ts";
import { parseMount } from "./mount.ts";
import { parsePorts } from "./ports.ts";
import { createRequest } from "./request.ts";
import { checkExtraHost, parseDevice, parseUlimit } from "./resources.ts";
import { parseVolumes } from "./volumes.ts";

function request(...argv: string[]) {
  const { flags, changed, args } = parseArguments(containerFlags, argv, false);
  return createRequest(flags, changed, args);
}

describe("create requests", () => {
  test("the plain one attaches both outputs and asks for nothing", () => {
    const body = request("bb", "echo", "-n", "x");
    expect(body).toMatchObject({
      Image: "bb",
      Cmd: ["echo", "-n", "x"],
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      OpenStdin: false,
      StdinOnce: false,
      Entrypoint: null,
      HostConfig: { NetworkMode: "default", AutoRemove: false, RestartPolicy: { Name: "no", MaximumRetryCount: 0 } },
    });
  });

  test("-i -t and --rm", () => {
    expect(request("-it", "--rm", "bb")).toMatchObject({
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      Cmd: null,
      HostConfig: { AutoRemove: true },
    });
  });

  test("limits and lists", () => {
    const { HostConfig } = request(
      ..."-m 64m --cpus 1.5 --ulimit nofile=10:20 --cap-add SYS_ADMIN -c 512 --pids-limit 9 --sysctl net.a=1".split(
        " ",
      ),
      ..."--device-read-bps /dev/sda:1mb --add-host h:1.2.3.4 --dns 1.1.1.1 --memory-swap -1 --init bb".split(" "),
    );
    expect(HostConfig).toMatchObject({
      Memory: 67108864,
      MemorySwap: -1,
      NanoCpus: 1_500_000_000,
      CpuShares: 512,
      PidsLimit: 9,
      Ulimits: [{ Name: "nofile", Soft: 10, Hard: 20 }],
      CapAdd: ["SYS_ADMIN"],
      Sysctls: { "net.a": "1" },
      BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1048576 }],
      ExtraHosts: ["h:1.2.3.4"],
      Dns: ["1.1.1.1"],
      Init: true,
    });
    expect(request("bb").HostConfig.Init).toBeUndefined();
  });

  test("an empty entry point takes the image's away", () => {
    expect(request("--entrypoint", "", "bb").Entrypoint).toEqual([""]);
  });

  test("networks", () => {
    expect(request("--net", "host", "bb").NetworkingConfig.EndpointsConfig).toEqual({});
    expect(request("--network", "name=mine,alias=a,ip=10.0.0.5", "bb")).toMatchObject({
      HostConfig: { NetworkMode: "mine" },
      NetworkingConfig: { EndpointsConfig: { mine: { Aliases: ["a"], IPAMConfig: { IPv4Address: "10.0.0.5" } } } },
    });
  });

  test.each([
    [["--restart", "always", "--rm", "bb"], "Conflicting options: --restart and --rm"],
    [["--restart", "on-failure:x", "bb"], "invalid restart policy format: maximum retry count must be an integer"],
    [["--pid", "x", "bb"], "--pid: invalid PID mode"],
    [["--memory-swappiness", "101", "bb"], "invalid value: 101. Valid memory swappiness range is 0-100"],
    [["--no-healthcheck", "--health-cmd", "x", "bb"], "--no-healthcheck conflicts with --health-* options"],
    [["--health-retries", "-1", "bb"], "--health-retries cannot be negative"],
    [["--network", "a", "--network", "host", "bb"], "conflicting options: cannot attach both user-defined"],
    [["--network", "a", "--network", "a", "bb"], 'network "a" is specified multiple times'],
    [["--network-alias", "x", "bb"], "network-scoped aliases are only supported for user-defined networks"],
    [["--mac-address", "x", "bb"], "x is not a valid mac address"],
    [["--security-opt", "x", "bb"], 'Invalid --security-opt: "x"'],
    [["--log-driver", "none", "--log-opt", "a=b", "bb"], "invalid logging opts for driver none"],
    [["--expose", "1:2", "bb"], "invalid port format for --expose: 1:2"],
    [["--gpus", "all", "bb"], 'could not select device driver "" with capabilities: [[gpu]]'],
    [["-m", "lots", "bb"], 'invalid argument "lots" for "-m, --memory" flag: invalid size: \'lots\''],
  ])("%j fails with Docker's words", (argv, message) => {
    expect(() => request(...argv)).toThrow(message);
  });
});

describe("ports", () => {
  test("ranges, addresses, protocols, the long form", () => {
    const { exposed, bindings } = parsePorts(
      [
        "80",
        "127.0.0.1:8080:81",
        "9000-9001:90-91/udp",
        "[::1]:5:6",
        "published=1,target=2,protocol=sctp",
        "7000-7005:70",
      ],
      ["1000-1001", "53/udp"],
    );
    expect(bindings).toEqual({
      "80/tcp": [{ HostIp: "", HostPort: "" }],
      "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
      "90/udp": [{ HostIp: "", HostPort: "9000" }],
      "91/udp": [{ HostIp: "", HostPort: "9001" }],
      "6/tcp": [{ HostIp: "::1", HostPort: "5" }],
      "2/sctp": [{ HostIp: "", HostPort: "1" }],
      "70/tcp": [{ HostIp: "", HostPort: "7000-7005" }],
    });
    expect(Object.keys(exposed)).toEqual(expect.arrayContaining(["1000/tcp", "1001/tcp", "53/udp", "80/tcp"]));
  });

  test.each([
    ["abc", "Invalid containerPort: abc"],
    ["x:80", "Invalid hostPort: x"],
    ["1-3:5-6", "Invalid ranges specified for container and host Ports: 5-6 and 1-3"],
    ["80/foo", "Invalid proto: foo"],
    ["nohost:1:2", "Invalid ip address: nohost"],
  ])("%s", (text, message) => {
    expect(() => parsePorts([text], [])).toThrow(message);
  });
});

describe("mounts and volumes", () => {
  test("--mount", () => {
    expect(parseMount("type=bind,src=/a,dst=/b,ro,bind-propagation=rslave")).toEqual({
      Type: "bind",
      Source: "/a",
      Target: "/b",
      ReadOnly: true,
      BindOptions: { Propagation: "rslave" },
    });
    expect(parseMount('"source=a,b",target=/x,volume-label=k=v')).toMatchObject({
      Type: "volume",
      Source: "a,b",
      VolumeOptions: { Labels: { k: "v" } },
    });
    expect(parseMount("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770")).toMatchObject({
      TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 },
    });
  });

  test.each([
    ["foo", "invalid field 'foo' must be a key=value pair"],
    ["type=bind,source=/a", "target is required"],
    ["type=bind,target=/a,foo=1", "unexpected key 'foo' in 'foo=1'"],
    ["type=bind,target=/a,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"],
    ["target=/a,readonly=maybe", "invalid value for readonly: maybe"],
    ["type=bind,target=/a,bind-recursive=writable", "requires 'readonly' to be specified in conjunction"],
  ])("--mount %s", (text, message) => {
    expect(() => parseMount(text)).toThrow(message);
  });

  test("-v", () => {
    expect(parseVolumes(["/data", "name:/n:ro", "/h:/c", "./rel:/r"])).toEqual({
      binds: ["name:/n:ro", "/h:/c", `${process.cwd()}/rel:/r`],
      anonymous: { "/data": {} },
    });
    expect(() => parseVolumes(["a::b"])).toThrow("empty section between colons");
  });
});

test("devices, ulimits, hosts, CPUs", () => {
  expect(parseDevice("/dev/a:rw")).toEqual({
    PathOnHost: "/dev/a",
    PathInContainer: "/dev/a",
    CgroupPermissions: "rw",
  });
  expect(parseDevice("/dev/a:/dev/b:r")).toMatchObject({ PathInContainer: "/dev/b", CgroupPermissions: "r" });
  expect(() => parseDevice("/dev/a:/dev/b:z")).toThrow("bad mode specified: z");
  expect(() => parseDevice("dev")).toThrow("dev is not an absolute path");
  expect(() => parseUlimit("nofile=20:10")).toThrow(
    "ulimit soft limit must be less than or equal to hard limit: 20 > 10",
  );
  expect(() => parseUlimit("foo=1")).toThrow("invalid ulimit type: foo");
  expect(checkExtraHost("h=[::1]")).toBe("h:::1");
  expect(() => checkExtraHost("h:x")).toThrow('invalid IP address in add-host: "x"');
  expect(parseCpus("0.000000001")).toBe(1);
  expect(parseCpus("1/2")).toBe(500_000_000);
  expect(() => parseCpus("1.0000000001")).toThrow("value is too precise");
});

test("files of variables", () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-env-"));
  const path = join(folder, "env");
  writeFileSync(path, "\ufeff# comment\n\n A=1=2 \nB\nC\r\nD=\n");
  expect(readAssignments(path, (name) => (name === "B" ? "own" : undefined))).toEqual(["A=1=2 ", "B=own", "D="]);
  writeFileSync(path, "A B=1\n");
  expect(() => readAssignments(path)).toThrow("poorly formatted environment: variable 'A B' contains whitespaces");
  writeFileSync(path, Buffer.from([65, 61, 0xff, 10]));
  expect(() => readAssignments(path)).toThrow("contains invalid utf8 bytes at line 1: [65 61 255]");
  expect(() => readAssignments(join(folder, "none"))).toThrow("no such file or directory");
  rmSync(folder, { recursive: true });
});
