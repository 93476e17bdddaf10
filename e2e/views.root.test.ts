/** What ps, inspect, info and the raw API tell: filters, formats, fields that tools read. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { OTHER_ENGINE, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const names = async (...filters: string[]): Promise<string[]> => {
  const flags = [engine.filter, ...filters].flatMap((filter) => ["--filter", filter]);
  const said = await ok(["ps", "-a", "--format", "{{.Names}}", ...flags]);
  return said === "" ? [] : said.split("\n").sort();
};

describe("docker ps", () => {
  beforeEach(async () => {
    await ok(["run", "-d", "--name", "e2e-run", "--label", "tier=web", "--label", "x", "bb", "sleep", "1000"]);
    await docker(["run", "--name", "e2e-exit", "--label", "tier=db", "bb", "sh", "-c", "exit 4"]);
    await ok(["create", "--name", "e2e-new", "-v", "/etc:/host", "bb", "true"]);
    await ok(["run", "-d", "--name", "e2e-hold", "bb", "sleep", "1000"]);
    await ok(["pause", "e2e-hold"]);
  });

  test("every filter", async () => {
    expect(await names()).toEqual(["e2e-exit", "e2e-hold", "e2e-new", "e2e-run"]);
    expect(await names("status=running")).toEqual(["e2e-run"]);
    expect(await names("status=paused", "status=created")).toEqual(["e2e-hold", "e2e-new"]);
    expect(await names("exited=4")).toEqual(["e2e-exit"]);
    expect(await names("exited=0")).toEqual([]);
    expect(await names("label=tier")).toEqual(["e2e-exit", "e2e-run"]);
    expect(await names("label=tier=web", "label=x")).toEqual(["e2e-run"]);
    expect(await names("name=^/e2e-r")).toEqual(["e2e-run"]);
    expect(await names("name=e2e-e", "name=e2e-n")).toEqual(["e2e-exit", "e2e-new"]);
    expect(await names("ancestor=bb")).toHaveLength(4);
    expect(await names("ancestor=bb:latest", "volume=/host")).toEqual(["e2e-new"]);
    expect(await names("before=e2e-exit")).toEqual(["e2e-run"]);
    expect(await names("since=e2e-exit")).toEqual(["e2e-hold", "e2e-new"]);
    expect(await names("network=bridge", "status=running")).toEqual(["e2e-run"]);
    expect(await names("is-task=true")).toEqual([]);
    const id = await ok(["inspect", "-f", "{{.Id}}", "e2e-run"]);
    expect(await names(`id=${id.slice(0, 10)}`)).toEqual(["e2e-run"]);
    expect((await docker(["ps", "--filter", "nonsense=1"])).stderr).toContain("invalid filter 'nonsense'");
    expect((await docker(["ps", "--filter", "status=odd"])).code).toBe(1);
  });

  test("what is printed", async () => {
    const line = async (name: string, format: string): Promise<string> =>
      ok(["ps", "-a", "--filter", `name=${name}`, "--format", format]);
    expect(await line("e2e-run", '{{.Image}}|{{.Command}}|{{.State}}|{{.Ports}}|{{.Label "tier"}}|{{.Networks}}')).toBe(
      'bb|"sleep 1000"|running||web|bridge',
    );
    expect(await line("e2e-run", "{{.Status}}")).toMatch(/^Up (Less than a second|\d+ seconds?)$/);
    expect(await line("e2e-exit", "{{.Status}}")).toMatch(/^Exited \(4\) (Less than a second|\d+ seconds?) ago$/);
    expect(await line("e2e-hold", "{{.Status}}")).toMatch(/^Up .* \(Paused\)$/);
    expect(await line("e2e-new", "{{.Status}}")).toBe("Created");
    expect(await ok(["ps", "-l", "-q", "--no-trunc"])).toBe(await ok(["inspect", "-f", "{{.Id}}", "e2e-hold"]));
    expect((await ok(["ps", "-n", "2", "--format", "{{.Names}}"])).split("\n")).toEqual(["e2e-hold", "e2e-new"]);
    await ok(["exec", "e2e-run", "sh", "-c", "head -c 1000000 /dev/zero > /written"]);
    expect(await ok(["ps", "-s", "--filter", "name=e2e-run", "--format", "{{.Size}}"])).toMatch(
      /^1(\.\d+)?MB \(virtual \d/,
    );
  });

  test("names and ids: prefix, ambiguity, none", async () => {
    const id = await ok(["inspect", "-f", "{{.Id}}", "e2e-run"]);
    for (const ref of [id, id.slice(0, 12), id.slice(0, 7), "e2e-run", "/e2e-run"]) {
      expect(await ok(["inspect", "-f", "{{.Name}}", ref])).toBe("/e2e-run");
    }
    const missing = await docker(["stop", "e2e-nothing"]);
    expect(missing.stderr).toContain("No such container: e2e-nothing");
    expect((await engine.api("GET", "/containers/e2e-nothing/json")).status).toBe(404);
  });
});

describe("docker inspect", () => {
  afterEach(() => engine.removeContainers());

  test("what was asked comes back, field by field", async () => {
    // biome-ignore format: one flag a line
    await ok(["create", "--name", "e2e-a", "-h", "box", "--domainname", "example.test", "-u", "5:6", "-w", "/w", "-e", "A=1", "-l", "k=v",
      "--memory", "64m", "--cpus", "1.5", "--cpu-shares", "300", "--pids-limit", "9", "--restart", "unless-stopped", "--cap-add", "NET_ADMIN",
      "--cap-drop", "MKNOD", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/t:size=1m", "-v", "/etc:/e:ro", "--ulimit", "nofile=9:10",
      "--sysctl", "net.ipv4.ip_forward=0", "--shm-size", "1m", "--stop-signal", "INT", "--stop-timeout", "7", "--log-opt", "max-size=1m", "--add-host", "h:192.0.2.1",
      "--dns", "192.0.2.2", "--init", "--device", "/dev/null:/dev/n:r", "--health-cmd", "true", "--expose", "81/udp", "--entrypoint", "/bin/sh", "bb", "-c", "true"]);
    const view = await engine.inspect<{ Config: { Env: string[] }; Created: string; Image: string }>("e2e-a");
    expect(view).toMatchObject({
      Name: "/e2e-a",
      Path: "/bin/sh",
      Args: ["-c", "true"],
      Driver: expect.any(String),
      Platform: "linux",
      RestartCount: 0,
      Config: {
        Hostname: "box",
        Domainname: "example.test",
        User: "5:6",
        WorkingDir: "/w",
        Image: "bb",
        Entrypoint: ["/bin/sh"],
        Cmd: ["-c", "true"],
        StopSignal: "INT",
        StopTimeout: 7,
        Tty: false,
        OpenStdin: false,
        ExposedPorts: { "81/udp": {} },
        Healthcheck: { Test: ["CMD-SHELL", "true"] },
        Labels: expect.objectContaining({ k: "v" }),
      },
      HostConfig: {
        Memory: 64 << 20,
        NanoCpus: 1_500_000_000,
        CpuShares: 300,
        PidsLimit: 9,
        RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 },
        CapAdd: ["NET_ADMIN"],
        CapDrop: ["MKNOD"],
        SecurityOpt: ["no-new-privileges"],
        ReadonlyRootfs: true,
        Tmpfs: { "/t": "size=1m" },
        Binds: ["/etc:/e:ro"],
        Ulimits: [{ Name: "nofile", Hard: 10, Soft: 9 }],
        Sysctls: { "net.ipv4.ip_forward": "0" },
        ShmSize: 1 << 20,
        LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
        ExtraHosts: ["h:192.0.2.1"],
        Dns: ["192.0.2.2"],
        Init: true,
        NetworkMode: expect.stringMatching(/^(default|bridge)$/),
        IpcMode: "private",
        Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/n", CgroupPermissions: "r" }],
        AutoRemove: false,
      },
      Mounts: [{ Type: "bind", Source: "/etc", Destination: "/e", Mode: "ro", RW: false }],
    });
    expect(view.Config.Env).toContain("A=1");
    expect(view.Created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    expect(view.Image).toBe(await ok(["image", "inspect", "-f", "{{.Id}}", "bb"]));
  });

  test("a running one's network, process and paths", async () => {
    await ok(["run", "-d", "--name", "e2e-a", "bb", "sleep", "1000"]);
    const view = await engine.inspect<{
      NetworkSettings: { Networks: Record<string, Record<string, unknown>>; IPAddress: string; SandboxKey: string };
      State: { Pid: number };
    }>("e2e-a");
    const { bridge } = view.NetworkSettings.Networks;
    expect(bridge).toMatchObject({ IPAddress: view.NetworkSettings.IPAddress });
    expect(bridge?.Gateway).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(bridge?.IPPrefixLen).toBeGreaterThan(0);
    expect(view.State.Pid).toBeGreaterThan(1);
    expect(await ok(["exec", "e2e-a", "cat", "/sys/class/net/eth0/address"])).toBe(String(bridge?.MacAddress));
    expect(await ok(["port", "e2e-a"])).toBe("");
  });

  test("a MAC address of its own", async () => {
    await ok(["run", "-d", "--name", "e2e-a", "--mac-address", "02:42:AC:11:00:7F", "bb", "sleep", "1000"]);
    const networks = await engine.inspect<Record<string, unknown>>("e2e-a", "{{json .NetworkSettings.Networks}}");
    expect(networks).toEqual({ bridge: expect.objectContaining({ MacAddress: "02:42:ac:11:00:7f" }) });
    expect(await ok(["exec", "e2e-a", "cat", "/sys/class/net/eth0/address"])).toBe("02:42:ac:11:00:7f");
    // One that was only made shows what it will ask for.
    await ok(["create", "--name", "e2e-b", "--mac-address", "02:42:ac:11:00:7e", "bb", "true"]);
    expect(await engine.inspect("e2e-b", "{{json .NetworkSettings.MacAddress}}")).toBe("02:42:ac:11:00:7e");
    expect(await engine.inspect("e2e-b", "{{json .Config.MacAddress}}")).toBe("02:42:ac:11:00:7e");
  });

  test("-s adds sizes, --type and several at once", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "sh", "-c", "head -c 5000 /dev/zero > /f"]);
    expect(Number(await ok(["inspect", "-s", "-f", "{{.SizeRw}}", "e2e-a"]))).toBeGreaterThanOrEqual(5000);
    expect((await docker(["inspect", "--type", "image", "e2e-a"])).code).toBe(1);
    expect(JSON.parse(await ok(["inspect", "e2e-a", "bb"]))).toHaveLength(2);
  });
});

describe("the engine itself", () => {
  test("version and negotiation", async () => {
    const version = (await (await engine.api("GET", "/version")).json()) as Record<string, string>;
    expect(version).toMatchObject({ MinAPIVersion: "1.24", Os: "linux", Arch: "amd64" });
    expect(Number(version.ApiVersion?.split(".")[1])).toBeGreaterThanOrEqual(45);
    const ping = await fetch("http://engine/_ping", { unix: engine.host.replace("unix://", "") });
    expect(ping.headers.get("Api-Version")).toBe(version.ApiVersion ?? "");
    expect(ping.headers.get("Ostype")).toBe("linux");
    expect(await ping.text()).toBe("OK");
    for (const path of ["/v1.23/info", "/v9.99/info"]) {
      const refused = await fetch(`http://engine${path}`, { unix: engine.host.replace("unix://", "") });
      expect(refused.status).toBe(400);
      expect(((await refused.json()) as { message: string }).message).toContain("client version");
    }
    expect(await ok(["version", "--format", "{{.Server.Os}}"])).toBe("linux");
  });

  test("info counts containers", async () => {
    const before = JSON.parse(await ok(["info", "--format", "{{json .}}"])) as {
      Containers: number;
      ContainersRunning: number;
    };
    await ok(["run", "-d", "--name", "e2e-a", "bb", "sleep", "1000"]);
    const after = JSON.parse(await ok(["info", "--format", "{{json .}}"])) as Record<string, unknown>;
    if (OTHER_ENGINE === undefined) {
      expect(after.Containers).toBe(before.Containers + 1);
      expect(after.ContainersRunning).toBe(before.ContainersRunning + 1);
    }
    expect(after).toMatchObject({ OSType: "linux", Architecture: "x86_64", Swarm: { LocalNodeState: "inactive" } });
    expect(after.NCPU).toBeGreaterThan(0);
  });

  test("swarm's endpoints answer as an engine that manages none", async () => {
    for (const path of ["/services", "/nodes", "/tasks", "/swarm", "/secrets", "/configs"]) {
      const response = await engine.api("GET", path);
      expect(response.status).toBe(503);
      expect(((await response.json()) as { message: string }).message).toContain("This node is not a swarm manager");
    }
  });

  test("system df", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "sh", "-c", "head -c 100000 /dev/zero > /f"]);
    const lines = (await ok(["system", "df", "--format", "{{.Type}} {{.TotalCount}}"])).split("\n");
    expect(lines.map((line) => line.replace(/ \d+$/, ""))).toEqual([
      "Images",
      "Containers",
      "Local Volumes",
      "Build Cache",
    ]);
    await until("it counts the container", async () => {
      return (
        Number((await ok(["system", "df", "--format", "{{.Type}} {{.TotalCount}}"])).split("\n")[1]?.split(" ")[1]) >= 1
      );
    });
  });
});
