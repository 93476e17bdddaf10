import { HavreError } from "../../base/mod.ts";
import { readJsonText } from "../docker/body.ts";
import type { Exchange } from "../docker/exchange.ts";

/** A JSON object as the body of a request, field by field. `invalid-argument` names the field that is wrong. */
export class Body {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  static async read({ request }: Exchange): Promise<Body> {
    let value: unknown;
    try {
      value = JSON.parse((await readJsonText(request)) ?? "{}");
    } catch (cause) {
      if (cause instanceof HavreError) throw cause;
      throw new HavreError("invalid-argument", "The request's body is not JSON", { cause });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new HavreError("invalid-argument", "The request's body is not a JSON object");
    return new Body(value as Readonly<Record<string, unknown>>);
  }

  /** Must be there and not empty. */
  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === "") throw new HavreError("invalid-argument", `Field ${name} is missing`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#of(name, "a text", (value): value is string => typeof value === "string");
  }

  flag(name: string): boolean {
    return this.#of(name, "true or false", (value): value is boolean => typeof value === "boolean") ?? false;
  }

  /** A whole number from `least` on. */
  count(name: string, least = 0): number | undefined {
    const fits = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= least;
    return this.#of(name, `a whole number from ${least} on`, fits);
  }

  texts(name: string): readonly string[] {
    const fits = (value: unknown): value is readonly string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.#of(name, "a list of texts", fits) ?? [];
  }

  object(name: string): Body {
    const fits = (value: unknown): value is Readonly<Record<string, unknown>> =>
      typeof value === "object" && value !== null && !Array.isArray(value);
    return new Body(this.#of(name, "an object", fits) ?? {});
  }

  #of<T>(name: string, what: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (fits(value)) return value;
    throw new HavreError("invalid-argument", `Field ${name} must be ${what}`);
  }
}
