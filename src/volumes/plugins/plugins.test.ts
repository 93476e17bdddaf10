import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VolumeDriver } from "../driver.ts";
import { Drivers } from "../drivers.ts";
import { findPlugin, pluginNames } from "./discovery.ts";
import { TestPlugin } from "./test-plugin.ts";

let folder: string;
let plugin: TestPlugin;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "havre-plugins-"));
  for (const name of ["sockets", "specs", "volumes"]) mkdirSync(join(folder, name));
  plugin = await TestPlugin.start(join(folder, "sockets/plug.sock"), join(folder, "volumes"));
});
afterEach(async () => {
  await plugin[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const folders = () => ({ sockets: join(folder, "sockets"), specs: [join(folder, "specs")] });
/** Longer than a loaded machine ever holds an answer up; what hangs is given up by shorter ones. */
const LONG = { short: 20_000, long: 20_000, list: 20_000, patience: 0 };
const drivers = (timeouts = LONG) => new Drivers({ name: "local" } as VolumeDriver, folders(), timeouts);

describe("plug-ins are found", () => {
  test("as sockets, in a folder of their own too, and by specifications", async () => {
    mkdirSync(join(folder, "sockets/inner"));
    await using _inner = await TestPlugin.start(join(folder, "sockets/inner/inner.sock"), folder);
    writeFileSync(join(folder, "specs/far.spec"), "tcp://127.0.0.1:9\n");
    writeFileSync(
      join(folder, "specs/tls.json"),
      '{"Name":"tls","Addr":"https://127.0.0.1:9","TLSConfig":{"InsecureSkipVerify":true}}',
    );
    expect(pluginNames(folders())).toEqual(["far", "inner", "plug", "tls"]);
    expect(findPlugin(folders(), "far")?.url).toBe("tcp://127.0.0.1:9");
    expect(findPlugin(folders(), "tls")).toEqual({ name: "tls", url: "https://127.0.0.1:9", tls: { insecure: true } });
    expect(findPlugin(folders(), "inner")?.url).toEndWith("/inner/inner.sock");
  });

  test.each(["../plug", "none", "a/b", ""])("%j is none", async (name) => {
    await expect(drivers().get(name)).rejects.toThrow(`plugin "${name}" not found`);
  });

  test("a specification that is wrong says so", () => {
    writeFileSync(join(folder, "specs/bad.json"), "{");
    writeFileSync(join(folder, "specs/empty.json"), "{}");
    expect(() => findPlugin(folders(), "bad")).toThrow("bad.json is not JSON");
    expect(() => findPlugin(folders(), "empty")).toThrow("empty.json has no Addr");
  });
});

describe("a plug-in", () => {
  test("makes, mounts, unmounts and removes; an unmount is asked for once", async () => {
    const driver = await drivers().get("plug");
    expect(await driver.scope()).toBe("global");
    await driver.create("v", { size: "1" });
    expect(await driver.mount("v", "holder")).toBe(join(folder, "volumes/v"));
    expect(await driver.get("v")).toEqual({ name: "v", path: join(folder, "volumes/v"), status: { files: 1 } });
    expect(await driver.list()).toEqual([{ name: "v", path: "" }]);
    await driver.unmount("v", "holder");
    await driver.unmount("v", "holder");
    await driver.remove("v");
    expect(await driver.get("v")).toBeUndefined();
    expect(plugin.methods("v")).toEqual(["Create", "Mount", "Get", "Unmount", "Remove", "Get"]);
    expect(plugin.calls.find(({ method }) => method === "VolumeDriver.Create")?.body).toEqual({
      Name: "v",
      Opts: { size: "1" },
    });
  });

  test("fails in its own words, whatever the status", async () => {
    const driver = await drivers().get("plug");
    for (const status of [200, 500]) {
      plugin.failing.set("VolumeDriver.Create", { status, err: "pool is full" });
      await expect(driver.create("v", {})).rejects.toThrow("VolumeDriver.Create: pool is full");
    }
  });

  test("that knows no capabilities is local", async () => {
    plugin.failing.set("VolumeDriver.Capabilities", { status: 404, err: "" });
    expect(await (await drivers().get("plug")).scope()).toBe("local");
  });

  test("that hangs is given up with a hint", async () => {
    plugin.failing.set("VolumeDriver.Mount", "hang");
    const driver = await drivers({ ...LONG, long: 1_000 }).get("plug");
    await driver.create("v", {});
    await expect(driver.mount("v", "holder")).rejects.toMatchObject({
      kind: "deadline-exceeded",
      message: "Volume plug-in plug did not answer VolumeDriver.Mount within 1 s",
    });
  });

  test("that died is unavailable; one that is restarted is waited for", async () => {
    const socket = join(folder, "sockets/plug.sock");
    const driver = await drivers({ ...LONG, patience: 20_000 }).get("plug");
    await plugin[Symbol.asyncDispose]();
    await expect(driver.list()).rejects.toMatchObject({ kind: "unavailable" });
    const making = driver.create("v", {});
    plugin = await TestPlugin.start(socket, join(folder, "volumes"));
    await making;
    expect(plugin.methods("v")).toEqual(["Create"]);
  });

  test("that is for something else is refused", async () => {
    plugin.failing.set("Plugin.Activate", { status: 200, err: "" });
    await expect(drivers().get("plug")).rejects.toThrow('plugin "plug" does not implement VolumeDriver');
  });

  test("that does not answer when others only look around is skipped, and left alone for a while", async () => {
    plugin.failing.set("Plugin.Activate", "hang");
    const all = drivers({ ...LONG, list: 150 });
    expect(await all.others()).toEqual([]);
    expect(await all.others()).toEqual([]);
    expect(plugin.calls.length).toBe(1);
  });

  test("is given back what a container had mounted when the last daemon ended", async () => {
    await (await drivers().get("plug")).create("v", {});
    plugin.volumes.get("v")?.mounted.add("old");
    const next = drivers();
    next.adopt(new Map([["v", ["old"]]]));
    await (await next.get("plug")).unmount("v", "old");
    expect(plugin.volumes.get("v")?.mounted.size).toBe(0);
  });
});
