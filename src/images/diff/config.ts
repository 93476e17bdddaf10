import type { ConfigDifference, TreeSource } from "./difference.ts";

type Fields = Map<string, unknown>;

/** What differs between two configurations, field by field: variables, labels, ports and volumes each on their own. */
export function compareConfigs(before: TreeSource["config"], after: TreeSource["config"]): ConfigDifference[] {
  const [a, b] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .filter((field) => JSON.stringify(a.get(field)) !== JSON.stringify(b.get(field)))
    .map((field) => ({
      field,
      ...(a.has(field) ? { before: a.get(field) } : {}),
      ...(b.has(field) ? { after: b.get(field) } : {}),
    }));
}

function fieldsOf(config: TreeSource["config"]): Fields {
  const fields: Fields = new Map();
  const add = (name: string, value: unknown) => {
    if (!isEmpty(value)) fields.set(name, value);
  };
  for (const name of ["architecture", "os", "variant", "author", "comment"] as const) add(name, config[name]);
  for (const [name, value] of Object.entries(config.config ?? {})) {
    if (name === "Env") {
      for (const entry of config.config?.Env ?? []) {
        const equals = entry.indexOf("=");
        fields.set(`Env.${equals < 0 ? entry : entry.slice(0, equals)}`, equals < 0 ? "" : entry.slice(equals + 1));
      }
    } else if (name === "Labels" || name === "ExposedPorts" || name === "Volumes") {
      for (const [key, item] of Object.entries(value ?? {}))
        fields.set(`${name}.${key}`, name === "Labels" ? item : true);
    } else add(name, value);
  }
  return fields;
}

/** Unset, null, "" and [] mean the same in a configuration. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
