import { shortId } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import type { Context } from "../../context.ts";
import { printJson, printList } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";

/** `GET /havre/v1/disk-accounts`: one thing on disk and who needs it. */
interface Account {
  readonly kind: string;
  readonly id: string;
  readonly size: number;
  readonly needs: readonly string[];
}

/** `system df --why`: every byte, largest first, and a sum. */
export async function printAccounts(context: Context, client: Client, json: boolean): Promise<number> {
  const accounts = await client.json<Account[]>("GET", "/havre/v1/disk-accounts");
  if (json) {
    printJson(context.out, accounts);
    return 0;
  }
  const sorted = [...accounts].sort((a, b) => b.size - a.size);
  await printList(context.out, {
    rows: sorted.map((account) => ({
      ID: () => shortId(account.id),
      Kind: () => account.kind,
      Needs: () => (account.needs.length === 0 ? "nobody: the next collection takes it" : account.needs.join(", ")),
      Size: () => humanSize(account.size, 3),
    })),
    headings: { Kind: "KIND", ID: "ID", Size: "SIZE", Needs: "NEEDED BY" },
    typeName: "account",
    format: "table {{.Kind}}\t{{.ID}}\t{{.Size}}\t{{.Needs}}",
    fit: true,
  });
  const total = accounts.reduce((sum, { size }) => sum + size, 0);
  const idle = accounts.filter(({ needs }) => needs.length === 0).reduce((sum, { size }) => sum + size, 0);
  context.out.line(`\nTotal: ${humanSize(total)}, of which ${humanSize(idle)} nobody needs`);
  return 0;
}
