import type { ImageEvent, ImageEventAction } from "./images.ts";
import type { ImageObject } from "./objects.ts";

/** An event about one image, as Docker words it: `name` is the id unless a name is what it is about. */
export function imageEvent(action: ImageEventAction, image: ImageObject, name: string = image.id): ImageEvent {
  return { action, id: image.id, name, labels: image.config.config?.Labels ?? {} };
}
