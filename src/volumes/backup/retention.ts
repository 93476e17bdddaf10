/** What to keep of a volume's backups. Each rule keeps the newest of as many of its periods as it says; UTC. */
export interface Retention {
  readonly last?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
}

interface Taken {
  readonly id: string;
  readonly note: { readonly taken: number };
}

const DAY = 86_400_000;
/** The first of January 1970 was a Thursday: weeks begin on Monday. */
const MONDAY = 3 * DAY;

const PERIODS: Readonly<Record<keyof Retention, (taken: number) => string>> = {
  last: String,
  daily: (taken) => String(Math.floor(taken / DAY)),
  weekly: (taken) => String(Math.floor((taken + MONDAY) / (7 * DAY))),
  monthly: (taken) => new Date(taken).toISOString().slice(0, 7),
};

/** Which of the backups no rule keeps. Without any rule all are kept. */
export function expired(backups: readonly Taken[], retention: Retention): readonly string[] {
  const rules = Object.entries(retention).filter((rule): rule is [keyof Retention, number] => rule[1] !== undefined);
  if (rules.length === 0) return [];
  const newestFirst = backups.toSorted((one, other) => other.note.taken - one.note.taken);
  const kept = new Set<string>();
  for (const [rule, count] of rules) {
    const periods = new Set<string>();
    for (const { id, note } of newestFirst) {
      const period = PERIODS[rule](note.taken);
      if (periods.has(period)) continue;
      if (periods.size === count) break;
      periods.add(period);
      kept.add(id);
    }
  }
  return newestFirst.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
}
