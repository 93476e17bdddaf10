import { HavreError, isHavreError } from "../base/mod.ts";

/** What is done with an image's layers; one that is damaged is told with the image it belongs to. */
export async function withLayersOf<T>(image: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isHavreError(error, "data-loss")) throw error;
    const { hint, message } = error;
    throw new HavreError("data-loss", `Image ${image} cannot be used: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
