/**
 * A database under load survives its backup: MariaDB writes row after row and acknowledges each, its volume is backed up
 * meanwhile, wiped, and restored; afterwards CHECK TABLE must find nothing and every row acknowledged before the backup
 * began must be there. Once through a folder of backups, once through an encrypted file.
 *
 *     bun e2e/mariadb/run.ts [ROOT.tar]    ROOT.tar: a Debian root with mariadb-server; made with mmdebstrap when it is not there
 *
 * Not part of `npm test`: making the root alone takes longer than a test may. Needs root, mmdebstrap and `build/havre`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { debianMirror } from "../harness/docker-cli.ts";
import { Engine, TestDaemon, until } from "../harness/mod.ts";

const VOLUME = "db-data";
const SERVER =
  "exec mariadbd --user=mysql --skip-networking --socket=/run/mysqld/mysqld.sock --innodb-flush-log-at-trx-commit=1";
const START = `mkdir -p /run/mysqld; chown mysql /run/mysqld; ${SERVER}`;
const LOAD = `
  mariadb -e 'CREATE DATABASE IF NOT EXISTS t; CREATE TABLE IF NOT EXISTS t.rows (id INT PRIMARY KEY AUTO_INCREMENT, body BLOB) ENGINE=InnoDB'
  while :; do mariadb -N -B -e 'INSERT INTO t.rows (body) VALUES (RANDOM_BYTES(900)) RETURNING id' >> /acknowledged || exit; done`;

function rootTar(): string {
  const path = resolve(process.argv[2] ?? join(tmpdir(), "havre-mariadb-root.tar"));
  if (existsSync(path)) return path;
  console.log(`making ${path}`);
  const made = spawnSync(
    "mmdebstrap",
    ["--variant=minbase", "--include=mariadb-server", "bookworm", path, debianMirror()],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  if (made.status !== 0) throw new Error("mmdebstrap failed");
  return path;
}

async function exercise(
  engine: Engine,
  target: string,
  locks: readonly string[],
  opens: readonly string[],
): Promise<void> {
  const havre = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await engine.havre(["volume", ...args], { timeout: 300_000 });
    if (code !== 0) throw new Error(`havre volume ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  const inside = (...args: string[]) => engine.ok(["exec", "db", ...args]);
  const start = async () => {
    await engine.ok([
      "run",
      "-d",
      "--name",
      "db",
      "--net",
      "none",
      "-v",
      `${VOLUME}:/var/lib/mysql`,
      "mariadb",
      "sh",
      "-c",
      START,
    ]);
    await until(
      "the server answers",
      async () => (await engine.docker(["exec", "db", "mariadb", "-e", "SELECT 1"])).code === 0,
      {
        within: 120_000,
        interval: 200,
      },
    );
  };
  const acknowledged = async () => Number(await inside("sh", "-c", "tail -1 /acknowledged 2>/dev/null || echo 0"));

  await start();
  await engine.ok(["exec", "-d", "db", "sh", "-c", LOAD]);
  await until("rows are written", async () => (await acknowledged()) > 200, { within: 120_000, interval: 100 });
  const before = await acknowledged();
  const began = performance.now();
  await havre("backup", "--pause", ...locks, VOLUME, target);
  const took = Math.round(performance.now() - began);
  await until("it goes on writing", async () => (await acknowledged()) > before + 50, {
    within: 120_000,
    interval: 100,
  });
  const last = await acknowledged();
  await engine.ok(["rm", "-f", "db"]);
  await engine.ok(["volume", "rm", VOLUME]);
  await havre("restore", ...opens, target, VOLUME);
  await start();
  const check = await inside("mariadb", "-N", "-B", "-e", "CHECK TABLE t.rows EXTENDED");
  const [count, highest] = (await inside("mariadb", "-N", "-B", "-e", "SELECT COUNT(*), MAX(id) FROM t.rows"))
    .split("\t")
    .map(Number);
  console.log(
    `${target}: ${before} rows acknowledged before the backup (${took} ms), ${last} at the wipe; restored ${count}, the highest ${highest}; ${check.replaceAll("\t", " ")}`,
  );
  if (!check.endsWith("\tOK")) throw new Error(`CHECK TABLE: ${check}`);
  if ((count ?? 0) < before || count !== highest) throw new Error("An acknowledged row is missing");
  await engine.ok(["rm", "-f", "db"]);
  await engine.ok(["volume", "rm", VOLUME]);
}

async function main(): Promise<void> {
  const tar = rootTar();
  await using daemon = new TestDaemon();
  const engine = new Engine(daemon);
  try {
    await daemon.start();
    await engine.ok(["import", tar, "mariadb"], { timeout: 300_000 });
    const folder = join(engine.folder, "backups");
    mkdirSync(folder);
    const passphrase = ["--passphrase-file", engine.file("passphrase", "correct horse battery staple\n")];
    await exercise(engine, folder, [], []);
    await exercise(engine, join(engine.folder, "db.tar.zst.age"), passphrase, passphrase);
  } finally {
    await engine.removeContainers();
    engine.dispose();
    await daemon.end();
    await daemon.removeNetwork();
  }
}

await main();
