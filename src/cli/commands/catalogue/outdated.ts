import { formatFlag, jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";

interface OutdatedAnswer {
  readonly name: string;
  readonly installed: string;
  readonly available: string;
  readonly security: boolean;
}

const headings = { Package: "PACKAGE", Installed: "INSTALLED", Available: "AVAILABLE", Security: "SECURITY" };

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:VERSION]",
  summary: "List packages of an image that Debian has in newer versions",
  examples: [["catalogue outdated nginx", "Then: havre catalogue build --force debian nginx"]],
  flags: { format: formatFlag, json: jsonFlag },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const packages = await client.json<OutdatedAnswer[]>("GET", "/havre/v1/catalogue/outdated", { query: { name } });
    if (flags.json) {
      printJson(context.out, packages);
      return 0;
    }
    if (packages.length === 0) {
      context.out.line(`${name} has the newest packages`);
      return 0;
    }
    await printList(context.out, {
      rows: packages.map((one) => ({
        Package: () => one.name,
        Installed: () => one.installed,
        Available: () => one.available,
        Security: () => (one.security ? "yes" : ""),
      })),
      headings,
      typeName: "*formatter.outdatedContext",
      format: flags.format || "table {{.Package}}\t{{.Installed}}\t{{.Available}}\t{{.Security}}",
      fit: flags.format === "",
    });
    return 0;
  },
});
