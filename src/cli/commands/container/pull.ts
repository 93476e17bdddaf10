import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import type { Context } from "../../context.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import { SILENT } from "../../output/output.ts";
import { showProgress } from "../image/progress.ts";
import type { CreationOptions } from "./creation.ts";

const isId = (image: string) => /^(sha256:)?[0-9a-f]{64}$/.test(image);

/** `invalid-argument` when it is neither an id nor a name. */
export function checkImageName(image: string): void {
  if (!isId(image)) parseReference(image);
}

/** Says that the image is not here and pulls it; false when it is an id, which cannot be pulled. */
export async function pullMissing(context: Context, image: string, options: CreationOptions): Promise<boolean> {
  if (isId(image)) return false;
  const name = familiarReference(withDefaultTag(parseReference(image)));
  if (!options.quiet) context.err.line(`Unable to find image '${name}' locally`);
  try {
    await pullImage(context, image, options);
  } catch (error) {
    const { withNearImages } = await import("./near-image.ts");
    throw context.places.host === undefined ? await withNearImages(error, await context.client(), image) : error;
  }
  return true;
}

export async function pullImage(context: Context, image: string, { platform, quiet }: CreationOptions): Promise<void> {
  const { tag, digest, domain, path } = withDefaultTag(parseReference(image));
  const client = await context.client();
  const answer = await client.request("POST", "/images/create", {
    query: {
      fromImage: familiarReference({ domain, path }),
      tag: digest ?? tag,
      platform: platform || undefined,
    },
    headers: await registryAuthHeader(context.env, domain),
  });
  await showProgress(answer.body, quiet ? SILENT : context.err);
}
