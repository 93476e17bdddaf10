import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readForeignColumn } from "../../store/mod.ts";
import { cyclonedx } from "./cyclonedx.ts";
import { packageUrl } from "./package.ts";
import { readRpmHeader } from "./rpm.ts";
import { scanTree } from "./scan.ts";
import { spdx } from "./spdx.ts";

const root = mkdtempSync(join(tmpdir(), "havre-sbom-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode });
}

/** A header of an RPM database: strings by tag, and an epoch. */
function rpmHeader(strings: Readonly<Record<number, string>>, epoch?: number): Buffer {
  const entries: Buffer[] = [];
  const data: Buffer[] = [];
  let at = 0;
  const add = (tag: number, type: number, value: Buffer) => {
    const entry = Buffer.alloc(16);
    for (const [index, word] of [tag, type, at, 1].entries()) entry.writeUInt32BE(word, index * 4);
    entries.push(entry);
    data.push(value);
    at += value.length;
  };
  const number = Buffer.alloc(4);
  if (epoch !== undefined) number.writeUInt32BE(epoch);
  if (epoch !== undefined) add(1003, 4, number);
  for (const [tag, text] of Object.entries(strings)) add(Number(tag), 6, Buffer.from(`${text}\0`));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(entries.length);
  head.writeUInt32BE(at, 4);
  return Buffer.concat([head, ...entries, ...data]);
}

/** The least of a program that has Go's build information. */
function goProgram(modules: string): Buffer {
  const varint = (text: string) => {
    const bytes = Buffer.from(text, "latin1");
    const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  const info = Buffer.concat([
    Buffer.from("\xff Go buildinf:\x08\x02", "latin1"),
    Buffer.alloc(16),
    varint("go1.22.1"),
    varint(`${"<".repeat(16)}${modules}${">".repeat(16)}`),
  ]);
  const names = Buffer.from("\0.shstrtab\0.go.buildinfo\0");
  const head = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  const table = 64 + info.length + names.length;
  head.writeBigUInt64LE(BigInt(table), 40);
  for (const [at, value] of [
    [58, 64],
    [60, 3],
    [62, 1],
  ] as const)
    head.writeUInt16LE(value, at);
  const section = (name: number, offset: number, size: number) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(name, 0);
    bytes.writeBigUInt64LE(BigInt(offset), 24);
    bytes.writeBigUInt64LE(BigInt(size), 32);
    return bytes;
  };
  const sections = [section(0, 0, 0), section(1, 64 + info.length, names.length), section(11, 64, info.length)];
  return Buffer.concat([head, info, names, ...sections, Buffer.alloc(8192)]);
}

test("finds packages of every kind where they are, and nothing by links or in files that are none", async () => {
  put("etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n');
  put(
    "var/lib/dpkg/status",
    "Package: base\nStatus: install ok installed\nVersion: 1:2.3-4\nArchitecture: amd64\nSource: other (9)\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
  );
  put("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n");
  put("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n\nP:busybox\nV:1.36\n");
  put("app/node_modules/@scope/it/package.json", '{"name":"@scope/it","version":"3.0.0","license":"ISC"}');
  put("app/node_modules/broken/package.json", "{");
  put("app/package.json", '{"name":"app","version":"1.0.0"}');
  put("py/Foo_Bar-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.2\n\nVersion: 9\n");
  put(
    "bin/tool",
    goProgram("path\tx\nmod\texample.org/x\tv1.0.0\th1:a\ndep\ta.org/b\tv2.0.0\tc\n=>\tc.org/d\tv3.0.0\te\n"),
    0o755,
  );
  put("bin/script", `#!/bin/sh\n${"#".repeat(5000)}`, 0o755);
  mkdirSync(join(root, "var/lib/rpm"), { recursive: true });
  using database = new Database(join(root, "var/lib/rpm/rpmdb.sqlite"));
  database.run("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)");
  const header = rpmHeader({ 1000: "bash", 1001: "5.2", 1002: "1.fc40", 1014: "GPLv3+", 1022: "x86_64" }, 1);
  database.run("INSERT INTO Packages (blob) VALUES (?), (?)", [header, rpmHeader({ 1000: "gpg-pubkey", 1001: "1" })]);
  database.close();
  symlinkSync("/", join(root, "everything"));
  const inventory = await scanTree(root, readForeignColumn);
  const found = inventory.packages.map((one) => packageUrl(one, inventory.distribution));
  expect(found).toEqual([
    "pkg:apk/debian/busybox@1.36?distro=debian-12",
    "pkg:apk/debian/musl@1.2.4-r2?arch=x86_64&distro=debian-12",
    "pkg:deb/debian/base@1:2.3-4?arch=amd64&distro=debian-12",
    "pkg:deb/debian/tzdata@2024a?arch=all&distro=debian-12",
    "pkg:golang/c.org/d@v3.0.0",
    "pkg:golang/example.org/x@v1.0.0",
    "pkg:golang/stdlib@1.22.1",
    "pkg:npm/%40scope/it@3.0.0",
    "pkg:pypi/foo-bar@1.2",
    "pkg:rpm/debian/bash@1:5.2-1.fc40?arch=x86_64&distro=debian-12",
  ]);
  const subject = { name: "app:1", version: `sha256:${"0".repeat(64)}`, at: 0 };
  expect(JSON.stringify(spdx(inventory, subject))).toBe(JSON.stringify(spdx(inventory, subject)));
  const bill = cyclonedx(inventory, subject) as { components: readonly { readonly purl?: string }[] };
  expect(bill.components.flatMap(({ purl }) => purl ?? [])).toEqual(found);
});

test("a header of RPM that is cut or lies about its length is none", () => {
  const whole = rpmHeader({ 1000: "a", 1001: "1", 1002: "2" });
  expect(readRpmHeader(whole, "")).toMatchObject({ name: "a", version: "1-2" });
  for (let length = 0; length < whole.length; length++) {
    expect(readRpmHeader(whole.subarray(0, length), "")).toBeUndefined();
  }
});

test("a database that is none is told by its path", () => {
  put("broken.sqlite", "nothing of the kind");
  expect(() => readForeignColumn(join(root, "broken.sqlite"), "Packages", "blob")).toThrow("cannot be read");
});
