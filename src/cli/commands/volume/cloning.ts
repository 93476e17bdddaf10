import type { Context } from "../../context.ts";
import { humanSize } from "../../output/units.ts";

interface ClonedView {
  readonly shared: number;
  readonly copied: number;
  readonly bytes: number;
  readonly snapshot: boolean;
}

/** Makes a volume of another and says whether anything had to be copied. */
export async function cloneVolume(
  context: Context,
  json: { readonly volume: string; readonly target: string; readonly pause: boolean; readonly frozen: boolean },
): Promise<number> {
  const client = await context.client();
  const { shared, copied, bytes, snapshot } = await client.json<ClonedView>("POST", "/havre/v1/volumes/clone", {
    json,
  });
  context.out.line(json.target);
  context.err.line(
    snapshot
      ? "A snapshot of the file system, nothing copied"
      : copied === 0
        ? `Content shared, nothing copied (${shared} files)`
        : `Copied ${humanSize(bytes)} in ${copied} files: this file system cannot share content`,
  );
  return 0;
}
