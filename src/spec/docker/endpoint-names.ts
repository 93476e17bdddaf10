/** What names a container's place in a network. */
interface Named {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
}

/** The names by which a container is found on a network of the user's (Docker's `DNSNames`): its own, those asked for, its id, its host name. */
export function endpointNames({ id, name, hostname }: Named, aliases: readonly string[]): readonly string[] {
  return [...new Set([name, ...aliases, id.slice(0, 12), ...(hostname === "" ? [] : [hostname])])];
}
