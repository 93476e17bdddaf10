import { expect, test } from "bun:test";
import { configOf } from "../spec/testing.ts";
import { mergeImageConfig } from "./merge.ts";

const image = {
  User: "app",
  Env: ["PATH=/bin", "A=image"],
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  Labels: { a: "image", b: "image" },
  WorkingDir: "/srv",
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/data": {} },
  StopSignal: "SIGQUIT",
  Healthcheck: { Test: ["CMD", "probe"], Interval: 5e9, Retries: 3 },
};

test("an image fills in what a request leaves out", () => {
  expect(mergeImageConfig(configOf(), image)).toMatchObject(image);
});

test("a request's own words hold, lists of names are joined", () => {
  const request = configOf({
    User: "me",
    Env: ["A=mine", "B=1"],
    Labels: { a: "mine" },
    WorkingDir: "/w",
    ExposedPorts: { "81/tcp": {} },
    Volumes: { "/more": {} },
    StopSignal: "SIGINT",
    Healthcheck: { Interval: 1e9 },
  });
  expect(mergeImageConfig(request, image)).toMatchObject({
    User: "me",
    Env: ["A=mine", "B=1", "PATH=/bin"],
    Labels: { a: "mine", b: "image" },
    WorkingDir: "/w",
    ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
    Volumes: { "/data": {}, "/more": {} },
    StopSignal: "SIGINT",
    Healthcheck: { Test: ["CMD", "probe"], Interval: 1e9, Retries: 3 },
  });
});

test.each([
  [null, null, ["/entry"], ["serve"]],
  [null, ["other"], ["/entry"], ["other"]],
  [["/mine"], null, ["/mine"], null],
  [["/mine"], ["x"], ["/mine"], ["x"]],
  [[""], ["x"], null, ["x"]],
  [[""], null, null, null],
  [[], null, [], ["serve"]],
])("entry point %j and command %j come to %j %j", (Entrypoint, Cmd, wantedEntrypoint, wantedCmd) => {
  const merged = mergeImageConfig(configOf({ Entrypoint, Cmd }), image);
  expect([merged.Entrypoint, merged.Cmd]).toEqual([wantedEntrypoint, wantedCmd]);
});
