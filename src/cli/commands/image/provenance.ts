import { defineCommand } from "../../command.ts";
import { printDocument } from "./document.ts";

export const command = defineCommand({
  usage: "IMAGE",
  summary: "Show how an image was built: by whom, when, of which source and base images",
  examples: [["image provenance app:1.2", "SLSA provenance, as the image or its registry has it"]],
  flags: {},
  min: 1,
  max: 1,
  run: ({ context, args: [name = ""] }) => printDocument(context, name, "provenance"),
});
