import { describe, expect, test } from "bun:test";
import { nearest } from "../../base/mod.ts";
import { ipVersion } from "../../spec/mod.ts";
import { filterFlag, filtersQuery } from "./common.ts";
import { integer, list, text, toggle } from "./flags.ts";
import { parseArguments } from "./parse.ts";
import { durationNanos, parseDuration, timeQuery } from "./time.ts";

const flags = {
  all: toggle("", { short: "a" }),
  interactive: toggle("", { short: "i" }),
  tty: toggle("", { short: "t" }),
  env: list("", { short: "e" }),
  name: text("", { short: "n" }),
  last: integer("", { initial: -1 }),
  filter: filterFlag(),
  net: text("", { aliasOf: "network" }),
  network: text(""),
};
const parse = (words: string, interspersed = true) => parseArguments(flags, words.split(" "), interspersed);

describe("command lines", () => {
  test("every way to give a value", () => {
    expect(parse("--name a").flags.name).toBe("a");
    expect(parse("--name=a=b").flags.name).toBe("a=b");
    expect(parse("-n a").flags.name).toBe("a");
    expect(parse("-na").flags.name).toBe("a");
    expect(parse("-n=a").flags.name).toBe("a");
    expect(parse("-e A=1 -eB=2 --env C").flags.env).toEqual(["A=1", "B=2", "C"]);
    expect(parse("--net host").flags.network).toBe("host");
    expect(parse("--last 3").flags.last).toBe(3);
  });

  test("switches in a cluster, the last with a value", () => {
    const { flags: got, changed } = parse("-itnfoo");
    expect([got.interactive, got.tty, got.name]).toEqual([true, true, "foo"]);
    expect([...changed].sort()).toEqual(["interactive", "name", "tty"]);
    expect(parse("--all=false").flags.all).toBe(false);
    expect(parse("-a=0").flags.all).toBe(false);
  });

  test("a container's command keeps its flags", () => {
    expect(parse("-a image ls -a --name x", false)).toMatchObject({ args: ["image", "ls", "-a", "--name", "x"] });
    expect(parse("x -a -- -n").args).toEqual(["x", "-n"]);
    expect(parse("-- -a").args).toEqual(["-a"]);
    expect(parse("- -a").args).toEqual(["-"]);
  });

  test("help", () => {
    expect(parse("--help").help).toBe(true);
    expect(parse("-ah").help).toBe(true);
  });

  test.each([
    ["--bogus", "unknown flag: --bogus"],
    ["-az", "unknown shorthand flag: 'z' in -z"],
    ["--name", "flag needs an argument: --name"],
    ["-an", "flag needs an argument: 'n' in -n"],
    [
      "--all=maybe",
      'invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ["--last x", 'invalid argument "x" for "--last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    ["--filter x", 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'],
  ])("%s fails with pflag's words", (words, message) => {
    expect(() => parse(words)).toThrow(message);
  });

  test("filters gather by name", () => {
    const { filter } = parse("-f label=a -f Label=b=c -f status=exited").flags;
    expect(filtersQuery(filter)).toBe('{"label":["a","b=c"],"status":["exited"]}');
    expect(filtersQuery({})).toBeUndefined();
  });
});

test.each([
  ["imags", "images"],
  ["formt", "format"],
  ["sp", "ps"],
  ["contain", "container"],
  ["zzzzzz", undefined],
])("%s: did you mean %s", (word, expected) => {
  expect(nearest(word, ["images", "format", "ps", "container", "run"])).toBe(expected);
});

test.each([
  ["1h30m", 5_400_000],
  ["250ms", 250],
  ["1.5s", 1500],
  ["-5s", -5000],
  ["0", 0],
  ["5", undefined],
  ["", undefined],
  ["1x", undefined],
])("duration %s", (words, ms) => {
  expect(parseDuration(words)).toBe(ms);
});

test("a duration without its unit is told so", () => {
  expect(() => durationNanos("5")).toThrow('time: missing unit in duration "5"');
  expect(durationNanos("5s")).toBe(5e9);
});

test("moments are durations back, dates or Unix seconds", () => {
  expect(timeQuery("since", "10s", 100_000)).toBe("90.000000000");
  expect(timeQuery("since", "2024-05-01T10:00:00Z")).toBe("1714557600.000000000");
  expect(timeQuery("since", "2024-05-01T10:00:00.5+02:00")).toBe("1714550400.500000000");
  expect(timeQuery("since", "1714557600.123456789")).toBe("1714557600.123456789");
  expect(timeQuery("since", "")).toBeUndefined();
  expect(() => timeQuery("since", "yesterday")).toThrow(
    'invalid value for "since": failed to parse value as time or duration: "yesterday"',
  );
});

test.each([
  ["127.0.0.1", 4],
  ["256.0.0.1", 0],
  ["1.2.3", 0],
  ["::", 6],
  ["::1", 6],
  ["fe80::1:2", 6],
  ["1:2:3:4:5:6:7:8", 6],
  ["1:2:3:4:5:6:7", 0],
  ["1::2::3", 0],
  ["::ffff:1.2.3.4", 6],
  ["host", 0],
])("%s is an address of version %i", (address, version) => {
  expect(ipVersion(address)).toBe(version as 0 | 4 | 6);
});
