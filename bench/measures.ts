import { readFileSync } from "node:fs";
import { type Contender, type Measure, median, must, type Settings, timed } from "./contender.ts";

export const MEASURES: readonly Measure[] = [
  latency("run --rm, bridge", ({ image }) => ["run", "--rm", image, "/bin/true"]),
  latency("run --rm, none", ({ image }) => ["run", "--rm", "--net", "none", image, "/bin/true"]),
  latency("run --rm, host", ({ image }) => ["run", "--rm", "--net", "host", image, "/bin/true"]),
  withSleeper(latency("exec true", () => ["exec", "bench-sleeper", "/bin/true"])),
  withSleeper(latency("ps", () => ["ps"])),
  {
    name: "50 starts, 8 at a time",
    unit: "ms",
    take: async (contender, { image }) => {
      const took = await timed(() => startMany(contender, image));
      await must(contender, ["rm", "-f", ...fifty]);
      return took;
    },
  },
  {
    name: "remove 50 running",
    unit: "ms",
    take: async (contender, { image }) => {
      await startMany(contender, image);
      return timed(() => must(contender, ["rm", "-f", ...fifty]));
    },
  },
  {
    name: "write 500,000 log lines",
    unit: "ms",
    take: async (contender, { image }) => {
      const took = await timed(() => writeLog(contender, image));
      await must(contender, ["rm", "-f", "bench-log"]);
      return took;
    },
  },
  {
    name: "read 500,000 log lines",
    unit: "ms",
    take: async (contender, { image }) => {
      await writeLog(contender, image);
      let lines = 0;
      const took = await timed(async () => {
        lines = (await must(contender, ["logs", "bench-log"])).stdout.split("\n").length - 1;
      });
      await must(contender, ["rm", "-f", "bench-log"]);
      if (lines !== LINES) throw new Error(`${contender.name}: ${lines} of ${LINES} lines came back`);
      return took;
    },
  },
  {
    name: "memory of the daemon, 20 idle containers",
    unit: "MB",
    take: async (contender, { image }) => {
      if (contender.pid === undefined) return Number.NaN;
      const names = fifty.slice(0, 20);
      for (const name of names) await must(contender, ["run", "-d", "--name", name, image, "/bin/sleep", "1000"]);
      // Idle: nothing was asked for a while.
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${contender.pid}/smaps_rollup`, "utf8"))?.[1];
      await must(contender, ["rm", "-f", ...names]);
      return Number(pss) / 1024;
    },
  },
];

const LINES = 500_000;
const IDLE_MS = 12_000;
const fifty = Array.from({ length: 50 }, (_, index) => `bench-${index}`);

function latency(name: string, args: (settings: Settings) => readonly string[]): Measure {
  return {
    name,
    unit: "ms",
    take: async (contender, settings) => {
      const once = () => timed(() => must(contender, args(settings)));
      await once(); // Warms caches.
      return median(settings.repeat, once);
    },
  };
}

function withSleeper(measure: Measure): Measure {
  return {
    ...measure,
    take: async (contender, settings) => {
      await must(contender, ["run", "-d", "--name", "bench-sleeper", settings.image, "/bin/sleep", "1000"]);
      try {
        return await measure.take(contender, settings);
      } finally {
        await must(contender, ["rm", "-f", "bench-sleeper"]);
      }
    },
  };
}

async function startMany(contender: Contender, image: string): Promise<void> {
  for (let first = 0; first < fifty.length; first += 8) {
    const names = fifty.slice(first, first + 8);
    await Promise.all(names.map((name) => must(contender, ["run", "-d", "--name", name, image, "/bin/sleep", "1000"])));
  }
}

async function writeLog(contender: Contender, image: string): Promise<void> {
  const line = "a log line of about eighty characters, with a number and some text to fill it out";
  const script = `yes '${line}' | head -n ${LINES}`;
  await must(contender, ["run", "-d", "--name", "bench-log", image, "/bin/sh", "-c", script]);
  await must(contender, ["wait", "bench-log"]);
}
