import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contender, type Measure, median, must, type Settings, timed } from "./contender.ts";

const TAKES = 3;

/** What is measured with a Debian root file system and a registry; skipped where none is named. */
export const IMAGE_MEASURES: readonly Measure[] = [
  imageMeasure("import a Debian root", async (contender, settings, name) =>
    median(TAKES, async () => {
      await contender.command(["rmi", "-f", name]);
      return timed(() => must(contender, ["import", settings.rootfs, name]));
    }),
  ),
  imageMeasure("push it the first time", async (contender, settings, name) => {
    await must(contender, ["import", settings.rootfs, name]);
    return timed(() => must(contender, ["push", "-q", name]));
  }),
  imageMeasure("pull it", async (contender, _settings, name) =>
    median(TAKES, async () => {
      await contender.command(["rmi", "-f", name]);
      return timed(() => must(contender, ["pull", "-q", name]));
    }),
  ),
  buildMeasure("build 8 steps without cache", (contender, folder) =>
    median(TAKES, () => timed(() => build(contender, folder, "--no-cache"))),
  ),
  buildMeasure("build 8 steps, all cached", async (contender, folder) => {
    await build(contender, folder);
    return median(TAKES, () => timed(() => build(contender, folder)));
  }),
  buildMeasure("build with one file changed", async (contender, folder) =>
    median(TAKES, () => {
      writeFileSync(join(folder, "f.txt"), randomBytes(8).toString("hex"));
      return timed(() => build(contender, folder));
    }),
  ),
  buildMeasure("build with COPY of 4,000 files", async (contender, folder, name) => {
    for (let file = 0; file < 4000; file++) writeFileSync(join(folder, `f${file}`), randomBytes(4096));
    writeFileSync(join(folder, "Dockerfile"), `FROM ${name}\nCOPY . /ctx/\n`);
    return timed(() => build(contender, folder, "--no-cache"));
  }),
];

const STEPS = (base: string) => `FROM ${base}
RUN echo one > /one
RUN echo two > /two && mkdir -p /srv
COPY f.txt /srv/
RUN cat /srv/f.txt > /three
ENV A=b
WORKDIR /srv
RUN for i in $(seq 1 500); do echo $i > /srv/file$i; done
CMD ["sh"]
`;

/** The registry as this engine reaches it. */
function registryOf({ registry }: Settings, { name }: Contender): string {
  const [common = "", ...own] = registry.split(",");
  return own.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? common;
}

function imageMeasure(
  name: string,
  take: (contender: Contender, settings: Settings, image: string) => Promise<number>,
): Measure {
  return {
    name,
    unit: "ms",
    take: async (contender, settings) => {
      if (settings.rootfs === "" || settings.registry === "") return Number.NaN;
      return take(
        contender,
        settings,
        `${registryOf(settings, contender)}/bench-${contender.name.replace(/\W/g, "-")}:1`,
      );
    },
  };
}

function buildMeasure(
  name: string,
  take: (contender: Contender, folder: string, base: string) => Promise<number>,
): Measure {
  return imageMeasure(name, async (contender, settings, base) => {
    await must(contender, ["import", settings.rootfs, base]);
    const folder = mkdtempSync(join(tmpdir(), "havre-bench-"));
    try {
      writeFileSync(join(folder, "f.txt"), "first");
      writeFileSync(join(folder, "Dockerfile"), STEPS(base));
      return await take(contender, folder, base);
    } finally {
      rmSync(folder, { recursive: true });
      await contender.command(["rmi", "-f", "bench-built"]);
    }
  });
}

function build(contender: Contender, folder: string, ...flags: string[]): Promise<unknown> {
  return must(contender, ["build", "-q", ...flags, "-t", "bench-built", folder]);
}
