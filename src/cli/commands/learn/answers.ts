/** What shows that a grant is needed. */
export interface Evidence {
  readonly process: string;
  readonly call: string;
  readonly target?: string;
  readonly count: number;
}

export interface Need {
  readonly grant: string;
  readonly evidence: readonly Evidence[];
}

/** `nginx: mkdir /var/cache/nginx/client_temp, 3 times`. */
export function evidenceLine({ process, call, target, count }: Evidence): string {
  return `${process}: ${call}${target === undefined ? "" : ` ${target}`}${count > 1 ? `, ${count} times` : ""}`;
}

export interface RefusalLine {
  readonly process?: string;
  readonly tried: string;
  readonly target?: string;
  readonly rule: string;
  readonly remedy: string;
  readonly evidence?: string;
  readonly seen?: "kernel";
}

/** `GET /havre/v1/containers/NAME/why`. */
export interface RefusalAnswer {
  readonly name: string;
  readonly profile: string;
  readonly state: string;
  readonly exitCode: number;
  readonly error: string;
  readonly observed: boolean;
  readonly refusals: readonly RefusalLine[];
}
