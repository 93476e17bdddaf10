import { createReadStream } from "node:fs";
import { RealWorkshop } from "./real-workshop.ts";

/** Loads, tags, removes and collects without end in the given folder, until it is killed. */
const [folder = "", archive = ""] = process.argv.slice(2);
const shop = await RealWorkshop.open(folder);
for (let round = 0; ; round++) {
  await shop.load(createReadStream(archive));
  process.stdout.write(".");
  await shop.images.tag("a:1", "kept", String(round % 3));
  await shop.images.remove("b:1", { force: true, prune: true });
  if (round % 2) await shop.images.remove("a:1", { force: true, prune: true });
  await shop.images.collect();
}
