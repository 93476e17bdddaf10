/** The ten practices that containers are looked at by. */
export const PRACTICES = {
  "read-only-root": "The root file system is read-only",
  volumes: "Data is in volumes of its own, nothing of the host is mounted, secrets are files",
  network: "It is on the network it needs and no other",
  ports: "Few ports, and only where they are asked for",
  user: "No root, inside or outside",
  minimal: "Few processes, few system calls, nothing that is not needed",
  origin: "The image's origin is known",
  registry: "Images come from a registry of one's own",
  signatures: "Images are signed, and that is checked",
  limits: "Memory, CPU and processes are limited",
} as const;

export type Practice = keyof typeof PRACTICES;

/** How much an attacker gains where it is not kept. */
export type Weight = "high" | "medium" | "low";

export interface Subject {
  readonly kind: "container" | "image" | "host";
  readonly id: string;
  readonly name: string;
}

/** What one check found of one subject. */
export interface Finding {
  readonly practice: Practice;
  /** The check's own stable name. */
  readonly check: string;
  readonly subject: Subject;
  readonly kept: boolean;
  readonly weight: Weight;
  readonly found: string;
  /** What follows from it. */
  readonly why: string;
  /** A command, where one mends it; else what to do. Only where it is not kept. */
  readonly remedy?: string;
  /** Recommendations of the CIS Docker Benchmark 1.6.0 that ask for the same. */
  readonly cis: readonly string[];
}

/** What is wrong, and what mends it; undefined: nothing. */
export type Fault = { readonly found: string; readonly remedy: string } | undefined;

/** A `USER` that is root, or none. */
export const isRoot = (user: string): boolean => /^(|0|root)(:.*)?$/.test(user);

/** One question to a subject, answered from facts alone. */
export interface Check<Facts> {
  readonly practice: Practice;
  readonly name: string;
  readonly weight: Weight;
  readonly cis: readonly string[];
  readonly why: string;
  /** What is said where it is kept. */
  readonly kept: string;
  look(facts: Facts): Fault;
}

/** Every check's answer on one subject. */
export function examine<Facts>(checks: readonly Check<Facts>[], subject: Subject, facts: Facts): readonly Finding[] {
  return checks.map(({ practice, name, weight, cis, why, kept, look }) => {
    const fault = look(facts);
    const found = { practice, check: name, subject, weight, why, cis };
    return fault ? { ...found, kept: false, ...fault } : { ...found, kept: true, found: kept };
  });
}
