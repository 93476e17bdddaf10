/** Whether `labels` fit every filter: `key`, `key=value`, or either negated by a leading `!` (`label!`). */
export function matchesLabels(labels: Readonly<Record<string, string>>, filters: readonly string[]): boolean {
  return filters.every((filter) => {
    const negated = filter.startsWith("!");
    const [key = "", ...rest] = (negated ? filter.slice(1) : filter).split("=");
    const value = rest.length === 0 ? undefined : rest.join("=");
    const has = Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    return has !== negated;
  });
}
