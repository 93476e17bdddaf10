import type { Context } from "../../context.ts";
import { registryHeaders } from "./build/request.ts";

/** `GET /havre/v1/image-document`. */
interface ImageDocument {
  readonly value: unknown;
  readonly from: string;
}

/** Prints what is said about an image, as JSON; where it is from goes to standard error. */
export async function printDocument(context: Context, name: string, kind: string): Promise<number> {
  const client = await context.client();
  const headers = await registryHeaders(context.env, `FROM ${name}`);
  const query = { name, kind };
  const { value, from } = await client.json<ImageDocument>("GET", "/havre/v1/image-document", { query, headers });
  if (context.err.isTerminal && from === "made now")
    context.err.line("Nothing was said about it: looked through it now");
  context.out.line(JSON.stringify(value, null, 2));
  return 0;
}
