import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { dockerCompose, HAVRE, type Outcome, run, until, useEngine } from "./harness/mod.ts";

setDefaultTimeout(60_000);

const engine = useEngine();
const ok = engine.ok.bind(engine);
let project = "";

/** A project of its own folder, whose name is the folder's. */
function files(name: string, texts: Readonly<Record<string, string>>): void {
  project = join(engine.folder, name);
  mkdirSync(project, { recursive: true });
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(project, file), text);
}

const havre = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  engine.havre(args, { cwd: project, env });

/** Must succeed; its output, standard error after standard output. */
async function up(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await havre(args);
  if (code !== 0) throw new Error(`havre ${args.join(" ")} exited with ${code}: ${stdout}${stderr}`);
  return stdout + stderr;
}

const compose = (...args: string[]) => run(dockerCompose(), args, { cwd: project, env: engine.env });
const ids = async (): Promise<string> => (await ok(["ps", "-aq", "--no-trunc"])).split("\n").sort().join(" ");

afterEach(async () => {
  if (project !== "") await havre(["down", "-v", "-t", "0", "--remove-orphans"], { TOKEN: "x" });
  project = "";
  // Anonymous ones stay when a container goes without -v, as Docker has it.
  await ok(["volume", "prune", "-f"]);
});

const SLEEP = "init: true, command: [sleep, '1000'], stop_signal: SIGKILL";

test("a project comes up in order, stays as it is, is replaced where it changed, and goes with its data or without", async () => {
  const file = (greeting: string) => `
services:
  web:
    image: bb
    # To ping.
    cap_add: [NET_RAW]
    command: [sh, -c, "echo ${greeting} > /tmp/said; exec sleep 1000"]
    stop_signal: SIGKILL
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
  db:
    image: bb
    command: [sh, -c, "sleep 0.3; touch /tmp/ready; exec sleep 1000"]
    stop_signal: SIGKILL
    healthcheck: {test: test -f /tmp/ready, interval: 100ms, retries: 100}
    volumes: ["data:/data", "/anonymous"]
    post_start: [{command: [sh, -c, "echo hooked >> /data/log"]}]
    pre_stop: [{command: [sh, -c, "echo stopping >> /data/log"]}]
  job: {image: bb, command: ["true"]}
volumes: {data: }
`;
  files("order", { "compose.yaml": file("hello") });
  const first = await up("up", "-d");
  expect(first).toContain("Service db  Waiting  for web");
  expect(first.indexOf("order-web-1  Starting")).toBeGreaterThan(first.indexOf("Service db  Healthy"));
  expect(await ok(["exec", "order-web-1", "cat", "/tmp/said"])).toBe("hello");
  // Names of services are names on the project's network.
  expect(await ok(["exec", "order-web-1", "ping", "-c", "1", "db"])).toContain("1 packets received");

  const before = await ids();
  expect(await up("up", "-d", "--no-deps", "web", "db")).toBe("");
  await up("up", "-d");
  expect(await ids()).toBe(before);
  expect(await ok(["exec", "order-db-1", "cat", "/data/log"])).toBe("hooked");

  await ok(["exec", "order-db-1", "touch", "/anonymous/kept"]);
  files("order", { "compose.yaml": file("changed") });
  expect(await up("up", "-d", "--plan")).toContain("replace   Container order-web-1  (its configuration changed)");
  expect(await ok(["exec", "order-web-1", "cat", "/tmp/said"])).toBe("changed");
  const after = await ids();
  expect(after.split(" ").filter((id) => before.includes(id))).toHaveLength(2);

  await up("up", "-d", "--force-recreate");
  expect(await ok(["exec", "order-db-1", "ls", "/anonymous"])).toBe("kept");
  const states = (await up("compose", "ps", "-a", "--format", "json")).trim().split("\n");
  expect(states.map((line) => JSON.parse(line))).toMatchObject([
    { Service: "db", State: "running", Health: "healthy", ExitCode: 0, Publishers: [] },
    { Service: "job", State: "exited", Health: "", ExitCode: 0, Publishers: [] },
    { Service: "web", State: "running", Health: "", ExitCode: 0, Publishers: [] },
  ]);
  expect(await up("down")).not.toContain("WARN");
  expect(await ok(["ps", "-aq"])).toBe("");
  await up("up", "-d");
  // Each hook once: when it began, when it was to stop.
  expect(await ok(["exec", "order-db-1", "cat", "/data/log"])).toBe("hooked\nstopping\nhooked\nstopping\nhooked");
  await up("down", "-v");
  expect(await ok(["volume", "ls", "-q", "--filter", "label=com.docker.compose.project=order"])).toBe("");
  expect(await ok(["network", "ls", "-q", "--filter", "label=com.docker.compose.project=order"])).toBe("");
});

test("a project of one is seen and taken over by the other", async () => {
  files("both", {
    "compose.yaml": `
x-havre: { profile: docker }
services:
  web: {image: bb, ${SLEEP}, depends_on: [db], environment: {A: "1"}, networks: {front: {aliases: [w]}}}
  db: {image: bb, ${SLEEP}, volumes: ["data:/data"], networks: [front], deploy: {resources: {limits: {memory: 32m}}}}
networks: {front: }
volumes: {data: }
`,
  });
  const made = await compose("up", "-d");
  expect(made.code).toBe(0);
  const theirs = await ids();
  expect((await up("compose", "ps", "--services")).split("\n").sort()).toEqual(["", "db", "web"]);
  expect(await up("up", "-d")).toBe("");
  await up("up", "-d", "--scale", "web=2");
  expect((await compose("up", "-d", "--scale", "web=2")).code).toBe(0);
  expect((await ids()).split(" ").filter((id) => theirs.includes(id))).toHaveLength(2);
  expect((await compose("ls", "-q")).stdout).toBe("both\n");
  expect((await compose("down", "-v")).code).toBe(0);

  await up("up", "-d");
  const ours = await ids();
  const taken = await compose("up", "-d");
  expect(taken.code).toBe(0);
  expect(await ids()).toBe(ours);
  await up("down", "-v");
  expect(await ok(["ps", "-aq"])).toBe("");
});

test("configs and secrets are where they belong, of whom they should be, and nowhere else", async () => {
  files("hidden", {
    "compose.yaml": `
services:
  web:
    image: bb
    read_only: true
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    secrets: [file, {source: token, target: /etc/token, mode: 0400, uid: "7"}]
    configs: [{source: conf, target: /etc/app.conf}]
secrets: {file: {file: ./secret.txt}, token: {environment: TOKEN}}
configs: {conf: {content: "listen = 80\\n"}}
`,
    "secret.txt": "from a file",
  });
  const secret = "s3cret-of-the-test";
  const missing = await havre(["up", "-d"]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('environment variable "TOKEN" required by secret "token" is not set');
  expect((await havre(["up", "-d"], { TOKEN: secret })).code).toBe(0);
  const inside = "cat /run/secrets/file /etc/token /etc/app.conf; stat -c '%a %u' /etc/token";
  const [content, stat] = (await ok(["exec", "-u", "7", "hidden-web-1", "sh", "-c", inside])).split("\n");
  expect(content).toBe(`from a file${secret}listen = 80`);
  expect(stat).toBe("400 7");
  // Root inside has no power over what is another's.
  expect((await engine.docker(["exec", "hidden-web-1", "cat", "/etc/token"])).stderr).toContain("Permission denied");
  expect(await ok(["inspect", "hidden-web-1"])).not.toContain(secret);
  await havre(["down"], { TOKEN: secret });
});

test("images are built with secrets, agents, named contexts, other services' images and limits", async () => {
  files("built", {
    "compose.yaml": `
services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM base
        COPY --from=more carried /carried
        RUN --mount=type=secret,id=token --mount=type=secret,id=lent cat /run/secrets/token /run/secrets/lent > /seen
        RUN --mount=type=ssh test -S $$SSH_AUTH_SOCK && ulimit -n >> /seen
      additional_contexts: {base: "service:base", more: ./more}
      secrets: [token, {source: file, target: lent}]
      ssh: {default: "\${AGENT}"}
      ulimits: {nofile: 77}
      tags: [e2e-built:other]
    command: [sleep, "1000"]
    stop_signal: SIGKILL
  base:
    profiles: [never]
    build: {dockerfile_inline: "FROM bb\\nRUN echo from base > /base"}
secrets: {token: {environment: TOKEN}, file: {file: ./secret}}
`,
    secret: "of a file",
  });
  mkdirSync(join(project, "more"));
  writeFileSync(join(project, "more/carried"), "carried");
  const agent = createServer().listen(join(project, "agent"));
  await new Promise((resolve) => agent.once("listening", resolve));
  const env = { TOKEN: "s3cret,", AGENT: join(project, "agent") };
  const { code, stderr } = await havre(["up", "-d"], env);
  agent.close();
  expect(stderr).toContain("Image built-web  Built");
  expect(code).toBe(0);
  expect(await ok(["exec", "built-web-1", "sh", "-c", "cat /seen /base /carried"])).toBe(
    "s3cret,of a file77\nfrom base\ncarried",
  );
  expect(await ok(["history", "--no-trunc", "built-web"])).not.toContain("s3cret");
  expect(await ok(["image", "inspect", "--format", "{{.Id}}", "e2e-built:other"])).toBe(
    await ok(["image", "inspect", "--format", "{{.Id}}", "built-web"]),
  );

  files("built", {
    "compose.yaml":
      "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM bb\n        RUN echo why; exit 3\n",
  });
  const failed = await havre(["compose", "build"]);
  expect(failed.code).toBe(17);
  expect(failed.stderr).toContain(" > [2/2] RUN echo why; exit 3:\nwhy\n------\nDockerfile:2\n");
});

test("what depends on a service that is not well does not start, and it is said why", async () => {
  files("sick", {
    "compose.yaml": `
services:
  db: {image: bb, ${SLEEP}, healthcheck: {test: "echo no disk; false", interval: 100ms, retries: 2}}
  web: {image: bb, ${SLEEP}, depends_on: {db: {condition: service_healthy}}}
`,
  });
  const { code, stderr } = await havre(["up", "-d"]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    "dependency failed to start: container sick-db-1 is unhealthy: its last check said: no disk",
  );
  expect(await ok(["inspect", "--format", "{{.State.Status}}", "sick-web-1"])).toBe("created");
});

test("output is shown by service; the first interrupt stops all, and nothing runs on", async () => {
  files("shown", {
    "compose.yaml": `
services:
  one: {image: bb, command: [sh, -c, "trap 'exit 0' TERM; while :; do echo tick; sleep 0.1; done"]}
  other: {image: bb, command: [sh, -c, "trap 'exit 0' TERM; while :; do echo tock >&2; sleep 0.1; done"]}
`,
  });
  const { root, run: runFolder } = engine.own;
  const child = spawn(HAVRE, ["up"], { cwd: project, env: { ...process.env, HAVRE_ROOT: root, HAVRE_RUN: runFolder } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  await until("both are heard", () => /one-1 {3,}\| tick/.test(output) && /other-1 {1,}\| tock/.test(output));
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(output).toContain("Gracefully stopping...");
  expect(await ok(["ps", "-q"])).toBe("");
});

test("a daemon killed in the middle of it: run again and it finishes", async () => {
  const services = Array.from(
    { length: 6 },
    (_, at) => `  s${at}: {image: bb, ${SLEEP}, depends_on: [${at > 2 ? "s0" : ""}]}`,
  );
  files("killed", { "compose.yaml": `services:\n${services.join("\n")}\n` });
  const broken = havre(["up", "-d"]);
  await until("some are made", async () => {
    const answer = await engine.api("GET", "/containers/json?all=1").catch(() => undefined);
    return answer?.ok && ((await answer.json()) as unknown[]).length > 1;
  });
  await engine.own.kill();
  await broken;
  await engine.own.start();
  await up("up", "-d");
  expect((await ok(["ps", "--format", "{{.Names}}"])).split("\n").sort()).toEqual(
    services.map((_, at) => `killed-s${at}-1`),
  );
  expect(await up("up", "-d", "--dry-run")).toBe("Nothing to do\n");
});

test("commands in services, and files in and out of them", async () => {
  files("verbs", {
    "compose.yaml": `
services:
  web: {image: bb, ${SLEEP}, environment: {A: of-web}}
  db: {image: bb, ${SLEEP}}
`,
    "in.txt": "carried",
  });
  const once = ["compose", "run", "--rm", "-T", "--no-deps", "-e", "B=given", "web", "sh", "-c", "echo $A $B"];
  expect((await havre(once)).stdout).toBe("of-web given\n");
  expect(await ok(["ps", "-aq"])).toBe("");
  await up("up", "-d");
  expect(await up("compose", "exec", "-T", "web", "sh", "-c", "echo $A")).toBe("of-web\n");
  await up("compose", "cp", "in.txt", "web:/tmp/in.txt");
  expect(await ok(["exec", "verbs-web-1", "cat", "/tmp/in.txt"])).toBe("carried");
  // The root is read-only for its processes, not for who brings files.
  await up("compose", "cp", "in.txt", "web:/etc/in.txt");
  expect(await ok(["exec", "verbs-web-1", "sh", "-c", "cat /etc/in.txt; rm /etc/in.txt 2>&1 || true"])).toMatch(
    /^carried.*Read-only file system/,
  );
  // Names of services, where no container is called so.
  expect(await up("exec", "web", "cat", "/tmp/in.txt")).toBe("carried");
  expect(await up("logs", "web")).toBe("");
  expect((await havre(["logs", "nothing"])).stderr).toBe("Error response from daemon: No such container: nothing\n");
  await up("compose", "stop", "db");
  expect(await up("compose", "ps", "--services")).toBe("web\n");
  await up("compose", "rm", "-f");
  expect(await up("compose", "ps", "-a", "--services")).toBe("web\n");
  const wrong = await havre(["compose", "exec", "wep", "true"]);
  expect(wrong.stderr).toBe("no such service: wep\nDid you mean web?\n");
});

test("a service with a health check and a port is replaced without a request lost, and not by one that is not well", async () => {
  const port = 20_000 + (process.pid % 10_000);
  const published = (answer: string, check = "wget -qO- http://127.0.0.1/") => ({
    "compose.yaml": `
services:
  web:
    image: bb
    command: [sh, -c, "mkdir /tmp/www; echo ${answer} > /tmp/www/index.html; exec httpd -f -p 80 -h /tmp/www"]
    stop_signal: SIGKILL
    ports: ["127.0.0.1:${port}:80"]
    healthcheck: {test: "${check}", interval: 100ms, retries: 3}
`,
  });
  files("gapless", published("first"));
  await up("up", "-d", "--wait");

  const answers: string[] = [];
  let asking = true;
  const clients = Array.from({ length: 4 }, async () => {
    while (asking) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { keepalive: false });
      answers.push((await answer.text()).trim());
    }
  });
  await until("the first is asked", () => answers.length > 20);
  files("gapless", published("second"));
  await up("up", "-d");
  const seen = answers.length;
  await until("the second is asked", () => answers.length > seen + 20);
  asking = false;
  // A request that failed would have ended its client.
  await Promise.all(clients);
  expect(new Set(answers)).toEqual(new Set(["first", "second"]));
  expect(answers.at(-1)).toBe("second");
  expect(await ok(["ps", "-a", "--format", "{{.Names}}"])).toBe("gapless-web-1");

  files("gapless", published("third", "false"));
  const refused = await havre(["up", "-d"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("gapless-web-1 is not replaced");
  expect((await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim()).toBe("second");
  expect(await ok(["ps", "-a", "--format", "{{.Names}}"])).toBe("gapless-web-1");
});

test("watch carries changes in, and restarts or rebuilds as it is told", async () => {
  files("watched", {
    "compose.yaml": `
services:
  web:
    build: {context: ., dockerfile_inline: "FROM bb\\nCOPY built /built\\nCMD exec sleep 1000"}
    stop_signal: SIGKILL
    develop:
      watch:
        - {path: ./src, action: sync, target: /src, ignore: ["*.tmp"]}
        - {path: ./conf, action: sync+restart, target: /conf}
        - {path: ./built, action: rebuild}
`,
    built: "one",
  });
  for (const folder of ["src", "conf"]) mkdirSync(join(project, folder));
  const { root, run: runFolder } = engine.own;
  const env = { ...process.env, HAVRE_ROOT: root, HAVRE_RUN: runFolder };
  const child = spawn(HAVRE, ["watch"], { cwd: project, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const inside = async (path: string) => (await engine.docker(["exec", "watched-web-1", "cat", path])).stdout;
  await until("it watches", () => output.includes("Watch enabled"), { within: 30_000 });

  writeFileSync(join(project, "src/ignored.tmp"), "never");
  writeFileSync(join(project, "src/a"), "carried");
  await until("the file is carried", async () => (await inside("/src/a")) === "carried");
  expect((await engine.docker(["exec", "watched-web-1", "ls", "/src"])).stdout).toBe("a\n");
  const started = await ok(["inspect", "--format", "{{.State.StartedAt}}", "watched-web-1"]);
  writeFileSync(join(project, "conf/b"), "new");
  await until("it is restarted", () => output.includes('Service "web" restarted'));
  expect(await inside("/conf/b")).toBe("new");
  expect(await ok(["inspect", "--format", "{{.State.StartedAt}}", "watched-web-1"])).not.toBe(started);
  writeFileSync(join(project, "built"), "two");
  await until("it is rebuilt", async () => (await inside("/built")) === "two", { within: 30_000 });
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

test("a connection that the old container was too busy to answer begins anew with the new one", async () => {
  const port = 30_000 + (process.pid % 2_000);
  const server = (name: string, more: readonly string[]) => {
    const serve = `mkdir /www; echo ${name} > /www/index.html; exec httpd -f -p 80 -h /www`;
    return ok(["run", "-d", "--name", name, "-p", `127.0.0.1:${port}:80`, ...more, "bb", "sh", "-c", serve]);
  };
  const old = await server("busy-old", []);
  await until("it answers", async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.ok);
  const next = await server("busy-next", ["--label", `havre.ports.from=${old}`]);
  await until("the other listens", async () => {
    const seen = await engine.docker(["exec", "busy-next", "wget", "-qO-", "http://127.0.0.1/"]);
    return seen.stdout === "busy-next\n";
  });
  await ok(["pause", "busy-old"]);
  // Stopped, it takes nobody in: when its queue is full, the kernel drops what asks to be let in.
  const sockets = Array.from({ length: 30 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await until("the kernel asks again", () => retransmits(port) > 0);
  const waiting = sockets.filter(({ connecting }) => connecting);
  let answered = 0;
  for (const socket of waiting) {
    socket.on("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    socket.on("data", (data) => (answered += Number(String(data).includes("busy-next"))));
  }
  const taken = await fetch(`http://engine/havre/v1/containers/${next}/take-ports?from=${old}&drain=0`, {
    method: "POST",
    unix: engine.host.replace("unix://", ""),
  });
  expect(taken.status).toBe(200);
  expect(waiting.length).toBeGreaterThan(0);
  await until("the new one answers them", () => answered === waiting.length);
  for (const socket of sockets) socket.destroy();
  await ok(["rm", "-f", "busy-old", "busy-next"]);
});

/** How often the kernel has asked again for connections to this port that nobody answers (proc(5), /proc/net/tcp). */
function retransmits(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  const asking = rows
    .map((row) => row.trim().split(/\s+/))
    .filter((row) => row[2] === `0100007F:${hex}` && row[3] === "02");
  return asking.reduce((sum, row) => sum + Number.parseInt(row[6] ?? "0", 16), 0);
}
