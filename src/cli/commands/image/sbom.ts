import { HavreError } from "../../../base/mod.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printDocument } from "./document.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Show what is in an image: its bill of materials",
  detail:
    "As the image or its registry has it, else made now: packages of dpkg, apk and rpm, of Node and Python, and the modules of Go programs.",
  examples: [
    ["image sbom app:1.2", "In SPDX's format"],
    ["image sbom --format cyclonedx app:1.2", "In CycloneDX's"],
  ],
  flags: { format: text("Format (spdx, cyclonedx)", { initial: "spdx" }) },
  min: 1,
  max: 1,
  run({ context, flags: { format }, args: [name = ""] }) {
    if (format === "spdx" || format === "cyclonedx") return printDocument(context, name, format);
    throw new HavreError("invalid-argument", `Unknown format: ${format}`, { hint: "spdx or cyclonedx" });
  },
});
