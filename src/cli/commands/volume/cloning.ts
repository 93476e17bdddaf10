import type { Context } from "../../context.ts";
import { humanSize } from "../../output/units.ts";

/** Makes a volume of another and says whether anything had to be copied. */
export async function cloneVolume(
  context: Context,
  json: { readonly volume: string; readonly target: string; readonly pause: boolean; readonly frozen: boolean },
): Promise<number> {
  const client = await context.client();
  const { shared, copied, bytes } = await client.json<{ shared: number; copied: number; bytes: number }>(
    "POST",
    "/havre/v1/volumes/clone",
    { json },
  );
  context.out.line(json.target);
  context.err.line(
    copied === 0
      ? `Content shared, nothing copied (${shared} files)`
      : `Copied ${humanSize(bytes)} in ${copied} files: this file system cannot share content`,
  );
  return 0;
}
