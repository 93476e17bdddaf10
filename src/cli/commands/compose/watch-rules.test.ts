import { expect, test } from "bun:test";
import { reactions, watchRules } from "./watch-rules.ts";

const rules = watchRules("web", {
  develop: {
    watch: [
      { path: "/p/src", action: "sync", target: "/app", ignore: ["node_modules/", "*.log"] },
      { path: "/p/package.json", action: "rebuild" },
      { path: "/p/conf", action: "sync+restart", target: "/etc/app", include: ["*.conf"] },
      { path: "/p/hooked", action: "sync+exec", target: "/hooked", exec: { command: ["reload"] } },
    ],
  },
});
const after = (...changed: string[]) => reactions(rules, changed);

test("files are carried to their place", () => {
  expect(after("/p/src/a/b.js")).toEqual([
    { service: "web", syncs: [{ from: "/p/src/a/b.js", to: "/app/a/b.js" }], follow: "nothing" },
  ]);
});

test("what is ignored, not included or elsewhere asks for nothing", () => {
  expect(after("/p/src/node_modules/x", "/p/src/a.log", "/p/src/.git/HEAD", "/p/conf/x.txt", "/q", "/p/srcx")).toEqual(
    [],
  );
});

test("a rebuild makes all else needless", () => {
  expect(after("/p/src/a.js", "/p/package.json")).toEqual([{ service: "web", syncs: [], follow: "rebuild" }]);
});

test("a restart or a command follows what is carried", () => {
  expect(after("/p/conf/x.conf")[0]).toMatchObject({ syncs: [{ to: "/etc/app/x.conf" }], follow: "restart" });
  expect(after("/p/hooked/y")[0]).toMatchObject({ follow: "exec", exec: { command: ["reload"] } });
});
