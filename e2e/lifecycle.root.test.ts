import { describe, expect, test } from "bun:test";
import { type Outcome, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);

interface State {
  readonly Status: string;
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly ExitCode: number;
  readonly Pid: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}
const state = (ref: string): Promise<State> => engine.inspect<State>(ref, "{{json .State}}");
const sleeper = (name: string, ...flags: string[]): Promise<string> =>
  ok(["run", "-d", "--name", name, "--net", "none", ...flags, "bb", "sleep", "1000"]);

describe("create and start", () => {
  test("created, running, exited, as inspect tells it", async () => {
    await ok(["create", "--name", "e2e-a", "bb", "sh", "-c", "exit 5"]);
    expect(await state("e2e-a")).toMatchObject({
      Status: "created",
      Running: false,
      Pid: 0,
      ExitCode: 0,
      StartedAt: "0001-01-01T00:00:00Z",
    });
    await ok(["start", "e2e-a"]);
    expect(await ok(["wait", "e2e-a"])).toBe("5");
    const ended = await state("e2e-a");
    expect(ended).toMatchObject({ Status: "exited", Running: false, Pid: 0, ExitCode: 5, Error: "" });
    expect(Date.parse(ended.FinishedAt)).toBeGreaterThanOrEqual(Date.parse(ended.StartedAt));
  });

  test("started again it keeps its files and gets a new process", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "sh", "-c", "echo x >> /count"]);
    expect((await docker(["start", "-a", "e2e-a"])).code).toBe(0);
    await ok(["cp", "e2e-a:/count", `${engine.folder}/count`]);
    expect(await Bun.file(`${engine.folder}/count`).text()).toBe("x\nx\n");
  });

  test("start of a running one does nothing", async () => {
    await sleeper("e2e-a");
    const { Pid } = await state("e2e-a");
    expect(await ok(["start", "e2e-a"])).toBe("e2e-a");
    expect((await state("e2e-a")).Pid).toBe(Pid);
    expect((await engine.api("POST", "/containers/e2e-a/start")).status).toBe(304);
  });

  test("start -ai gives output and code", async () => {
    await ok(["create", "-i", "--name", "e2e-a", "bb", "sh", "-c", "cat; exit 9"]);
    expect(await docker(["start", "-ai", "e2e-a"], { input: "typed" })).toMatchObject({ code: 9, stdout: "typed" });
  });

  test("a failed start is recorded and can be repaired", async () => {
    expect((await docker(["run", "--name", "e2e-a", "bb", "missing-command"])).code).toBe(127);
    expect(await state("e2e-a")).toMatchObject({ Status: "created", ExitCode: 127 });
    expect((await state("e2e-a")).Error).toContain("executable file not found");
  });

  test("names: taken, invalid, generated", async () => {
    await ok(["create", "--name", "e2e-a", "bb"].concat("true"));
    const id = await engine.inspect<string>("e2e-a", "{{json .Id}}");
    const again = await docker(["create", "--name", "e2e-a", "bb", "true"]);
    expect(again.stderr).toContain(
      `Conflict. The container name "/e2e-a" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
    expect((await docker(["create", "--name", "a b", "bb", "true"])).stderr).toContain(
      "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
    );
    const generated = await engine.inspect<string>(await ok(["create", "bb", "true"]), "{{json .Name}}");
    expect(generated).toMatch(/^\/[a-z]+_[a-z0-9]+$/);
  });

  test("no command at all", async () => {
    expect((await docker(["create", "bb"])).stderr).toContain("no command specified");
  });
});

describe("stop and kill", () => {
  test("stop sends the stop signal and waits", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    await until("it is up", async () => (await ok(["logs", "e2e-a"])) === "up");
    expect(await ok(["stop", "e2e-a"])).toBe("e2e-a");
    expect(await state("e2e-a")).toMatchObject({ Status: "exited", ExitCode: 4 });
    expect(await ok(["logs", "e2e-a"])).toBe("up\nbye");
  });

  test("--stop-signal, and KILL after the timeout", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "--stop-signal",
      "USR1",
      "bb",
      "sh",
      "-c",
      "trap 'exit 6' USR1; echo up; while :; do sleep 0.05; done",
    ]);
    await until("it is up", async () => (await ok(["logs", "e2e-a"])) === "up");
    await ok(["stop", "e2e-a"]);
    expect((await state("e2e-a")).ExitCode).toBe(6);
    await sleeper("e2e-b");
    const started = performance.now();
    await ok(["stop", "-t", "1", "e2e-b"]);
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(950);
    expect(took).toBeLessThan(5000);
    expect((await state("e2e-b")).ExitCode).toBe(137);
  });

  test("stop of a stopped one does nothing", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "true"]);
    expect(await ok(["stop", "e2e-a"])).toBe("e2e-a");
    expect((await engine.api("POST", "/containers/e2e-a/stop")).status).toBe(304);
  });

  test("kill: by default KILL, by name and number, refused when it does not run", async () => {
    await ok(["run", "-d", "--init", "--name", "e2e-a", "bb", "sh", "-c", "echo up; exec sleep 1000"]);
    await until("init listens to signals", async () => (await ok(["logs", "e2e-a"])) === "up");
    await ok(["kill", "--signal", "15", "e2e-a"]);
    expect(await ok(["wait", "e2e-a"])).toBe("143");
    await ok(["start", "e2e-a"]);
    await ok(["kill", "e2e-a"]);
    expect(await ok(["wait", "e2e-a"])).toBe("137");
    const refused = await docker(["kill", "e2e-a"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/container [0-9a-f]{64} is not running/);
    expect((await engine.api("POST", "/containers/e2e-a/kill")).status).toBe(409);
    await ok(["start", "e2e-a"]);
    expect((await docker(["kill", "-s", "NONSENSE", "e2e-a"])).stderr).toContain("invalid signal: NONSENSE");
  });

  test("pause holds every process, unpause lets go; both only when they fit", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done",
    ]);
    await ok(["pause", "e2e-a"]);
    expect(await state("e2e-a")).toMatchObject({ Status: "paused", Running: true, Paused: true });
    expect((await docker(["exec", "e2e-a", "true"])).stderr).toContain("is paused, unpause the container before exec");
    expect((await docker(["pause", "e2e-a"])).stderr).toContain("is already paused");
    const held = await ok(["logs", "e2e-a"]);
    expect(await ok(["logs", "e2e-a"])).toBe(held);
    await ok(["unpause", "e2e-a"]);
    await until("it goes on", async () => (await ok(["logs", "e2e-a"])) !== held);
    expect((await docker(["unpause", "e2e-a"])).stderr).toContain("is not paused");
  });

  test("a paused one can be killed and removed", async () => {
    await sleeper("e2e-a");
    await ok(["pause", "e2e-a"]);
    expect((await docker(["rm", "e2e-a"])).code).toBe(1);
    await ok(["rm", "-f", "e2e-a"]);
    expect((await docker(["inspect", "e2e-a"])).code).toBe(1);
  });

  test("restart gives a new process", async () => {
    await sleeper("e2e-a", "--init");
    const { Pid } = await state("e2e-a");
    await ok(["restart", "e2e-a"]);
    const after = await state("e2e-a");
    expect(after).toMatchObject({ Status: "running" });
    expect(after.Pid).not.toBe(Pid);
  });
});

describe("wait", () => {
  const waiting = (ref: string): Promise<Outcome> => docker(["wait", ref]);

  test("for a stopped one answers at once; for a running one at its end; many at once", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "true"]);
    expect(await ok(["wait", "e2e-a"])).toBe("0");
    await ok(["run", "-d", "--name", "e2e-b", "-i", "bb", "sh", "-c", "read x; exit 7"]);
    const waiters = [1, 2, 3].map(() => waiting("e2e-b"));
    await ok(["attach", "e2e-b"], { input: "go\n" }).catch(() => {}); // It exits with 7, and attach with it.
    expect((await Promise.all(waiters)).map(({ stdout }) => stdout)).toEqual(["7\n", "7\n", "7\n"]);
  });

  test("next-exit answers with headers before the exit", async () => {
    await ok(["create", "--name", "e2e-a", "bb", "sh", "-c", "exit 8"]);
    const response = await engine.api("POST", "/containers/e2e-a/wait?condition=next-exit");
    expect(response.status).toBe(200);
    await ok(["start", "e2e-a"]);
    expect(await response.json()).toMatchObject({ StatusCode: 8 });
  });

  test("removed answers after the removal", async () => {
    const id = await sleeper("e2e-a");
    const response = await engine.api("POST", `/containers/${id}/wait?condition=removed`);
    await ok(["rm", "-f", "e2e-a"]);
    expect(await response.json()).toMatchObject({ StatusCode: 137 });
  });

  test("a condition that is none, a container that is none", async () => {
    await sleeper("e2e-a");
    expect((await engine.api("POST", "/containers/e2e-a/wait?condition=soon")).status).toBe(400);
    expect((await docker(["wait", "e2e-none"])).stderr).toContain("No such container: e2e-none");
  });
});

describe("rename and update", () => {
  test("rename moves the name and keeps the rest", async () => {
    const id = await sleeper("e2e-a");
    await ok(["rename", "e2e-a", "e2e-b"]);
    expect(await engine.inspect<string>("e2e-b", "{{json .Id}}")).toBe(id);
    expect((await docker(["inspect", "e2e-a"])).code).toBe(1);
    await sleeper("e2e-a");
    expect((await docker(["rename", "e2e-a", "e2e-b"])).stderr).toContain("already in use");
    expect((await docker(["rename", "e2e-a", "e2e-a"])).code).toBe(1);
  });

  test("update changes the running container's limits in the kernel", async () => {
    await sleeper("e2e-a", "--memory", "64m", "--pids-limit", "50");
    await ok([
      "update",
      "--memory",
      "96m",
      "--memory-swap",
      "192m",
      "--pids-limit",
      "20",
      "--cpus",
      "0.5",
      "--restart",
      "on-failure:2",
      "e2e-a",
    ]);
    const limits =
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true";
    expect(await ok(["exec", "e2e-a", "sh", "-c", limits])).toBe(`${96 * 1024 * 1024}\n20`);
    expect(await engine.inspect("e2e-a", "{{json .HostConfig}}")).toMatchObject({
      Memory: 96 * 1024 * 1024,
      PidsLimit: 20,
      NanoCpus: 500_000_000,
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
    });
    expect((await docker(["update", "--memory", "1k", "e2e-a"])).code).toBe(1);
    await ok(["update", "--pids-limit", "-1", "e2e-a"]);
    expect(await ok(["exec", "e2e-a", "sh", "-c", limits])).toBe(`${96 * 1024 * 1024}\nmax`);
  });
});

describe("rm and prune", () => {
  test("a running one only by force; by name, id and prefix", async () => {
    const id = await sleeper("e2e-a");
    const refused = await docker(["rm", "e2e-a"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("stop the container before removing or force remove");
    expect(await ok(["rm", "-f", id.slice(0, 12)])).toBe(id.slice(0, 12));
    expect((await docker(["rm", "e2e-a"])).stderr).toContain("No such container: e2e-a");
    expect(await ok(["rm", "-f", "e2e-a"]).catch((cause: Error) => cause.message)).not.toContain("exited with 125");
  });

  test("--rm removes when it ends, also detached, and after a failed start", async () => {
    const id = await ok(["run", "-d", "--rm", "bb", "sleep", "0.2"]);
    await until("it is gone", async () => (await docker(["inspect", id])).code !== 0);
    await docker(["run", "--rm", "--name", "e2e-failed", "bb", "missing-command"]);
    expect((await docker(["inspect", "e2e-failed"])).code).toBe(1);
  });

  test("prune takes the stopped ones, by label", async () => {
    await ok(["run", "--name", "e2e-a", "--label", "e2e.prune=yes", "bb", "true"]);
    await ok(["run", "--name", "e2e-b", "bb", "true"]);
    await sleeper("e2e-c", "--label", "e2e.prune=yes");
    const id = await engine.inspect<string>("e2e-a", "{{json .Id}}");
    expect(await ok(["container", "prune", "-f", "--filter", "label=e2e.prune=yes"])).toContain(id);
    expect(await ok(["ps", "-a", "--format", "{{.Names}}", "--filter", engine.filter])).toBe("e2e-c\ne2e-b");
  });

  test("forty can be made and removed, eight at a time", async () => {
    const one = async (): Promise<void> => {
      const { code, stderr } = await docker(["run", "--rm", "--net", "none", "bb", "true"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    };
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 8 }, one));
    expect(await ok(["ps", "-aq", "--filter", engine.filter])).toBe("");
  });
});

describe("events", () => {
  test("come in Docker's order", async () => {
    const since = (Date.now() / 1000 - 1).toFixed(3);
    await ok(["run", "--rm", "--label", "e2e.events", "--name", "e2e-ev", "--net", "none", "bb", "true"]);
    await sleeper("e2e-ev2", "--label", "e2e.events");
    await ok(["pause", "e2e-ev2"]);
    await ok(["unpause", "e2e-ev2"]);
    await ok(["exec", "e2e-ev2", "true"]);
    await ok(["rename", "e2e-ev2", "e2e-ev3"]);
    await ok(["kill", "e2e-ev3"]);
    await ok(["wait", "e2e-ev3"]);
    await ok(["rm", "e2e-ev3"]);
    const format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}";
    const flags = [
      "--since",
      since,
      "--until",
      (Date.now() / 1000 + 1).toFixed(3),
      "--filter",
      engine.filter,
      "--filter",
      "label=e2e.events",
    ];
    const said = (await ok(["events", ...flags, "--format", format])).replaceAll("<no value>", "").split("\n");
    expect(said.map((line) => line.trim())).toEqual([
      "container create e2e-ev",
      "container attach e2e-ev",
      "container start e2e-ev",
      "container die e2e-ev 0",
      "container destroy e2e-ev",
      "container create e2e-ev2",
      "container start e2e-ev2",
      "container pause e2e-ev2",
      "container unpause e2e-ev2",
      "container exec_create: true  e2e-ev2",
      "container exec_start: true  e2e-ev2",
      "container exec_die e2e-ev2 0",
      "container rename e2e-ev3",
      "container kill e2e-ev3",
      "container die e2e-ev3 137",
      "container destroy e2e-ev3",
    ]);
  });
});

describe("legacy links", () => {
  test("name, address and environment of another container, and their end", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-db",
      "-e",
      "KEY=1",
      "--expose",
      "5432",
      "-h",
      "dbhost",
      "bb",
      "sleep",
      "1000",
    ]);
    await ok(["run", "-d", "--name", "e2e-web", "--link", "e2e-db:my-db", "bb", "sh", "-c", "env; sleep 1000"]);
    const address = await ok(["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "e2e-db"]);
    expect(await ok(["exec", "e2e-web", "cat", "/etc/hosts"])).toContain(`${address}\tmy-db dbhost e2e-db\n`);
    const lines = (await ok(["logs", "e2e-web"])).split("\n").filter((line) => line.startsWith("MY_DB_"));
    // The shell prints its variables in an order of its own.
    expect(lines.toSorted()).toEqual([
      "MY_DB_ENV_KEY=1",
      "MY_DB_NAME=/e2e-web/my-db",
      `MY_DB_PORT=tcp://${address}:5432`,
      `MY_DB_PORT_5432_TCP=tcp://${address}:5432`,
      `MY_DB_PORT_5432_TCP_ADDR=${address}`,
      "MY_DB_PORT_5432_TCP_PORT=5432",
      "MY_DB_PORT_5432_TCP_PROTO=tcp",
    ]);
    const names = ["ps", "--no-trunc", "--filter", "name=^/?e2e-db$", "--format", "{{.Names}}"];
    const shown = async () => [await engine.inspect("e2e-web", "{{json .HostConfig.Links}}"), await ok(names)];
    expect(await shown()).toEqual([["/e2e-db:/e2e-web/my-db"], "e2e-db,e2e-web/my-db"]);
    await ok(["rm", "--link", "e2e-web/my-db"]);
    expect(await shown()).toEqual([null, "e2e-db"]);
    expect((await docker(["rm", "--link", "e2e-web/my-db"])).code).toBe(1);
  });

  test("refused: to nothing, to the host's network, to what does not run", async () => {
    const stderr = async (...args: string[]) => (await docker(["run", "--rm", ...args, "bb", "true"])).stderr;
    expect(await stderr("--link", "e2e-none")).toContain("could not get container for e2e-none");
    await ok(["create", "--name", "e2e-a", "--net", "host", "bb", "true"]);
    expect(await stderr("--link", "e2e-a")).toContain("host type networking can't be used with links");
    await ok(["create", "--name", "e2e-b", "bb", "true"]);
    expect(await stderr("--link", "e2e-b:alias", "--name", "e2e-c")).toContain(
      "Cannot link to a non running container: /e2e-b AS /e2e-c/alias",
    );
  });
});
