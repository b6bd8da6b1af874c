type Json = Readonly<Record<string, unknown>>;

/** What stands where a private key is: sent back, it means the key that is there. */
const hidden = 'a private key, kept and not shown';

/** Keys go in and never come out, also those in environment variables. */
export function withoutKeys<D>(definition: D): D {
  return mapVariables(definition, (_, value) =>
    typeof value === 'string' && value.includes('PRIVATE KEY') ? hidden : value,
  );
}

/** The definition with the keys of the one before where it names them by what was shown. */
export function withKeptKeys(definition: unknown, before: unknown): unknown {
  const kept = variablesOf(before);
  return mapVariables(definition, (name, value) => (value === hidden ? (kept[name] ?? value) : value));
}

function mapVariables<D>(definition: D, change: (name: string, value: unknown) => unknown): D {
  const variables = Object.entries(variablesOf(definition));
  if (variables.length === 0) return definition;
  const changed = variables.map(([name, value]) => [name, change(name, value)] as const);
  return { ...definition, environmentVariables: Object.fromEntries(changed) };
}

function variablesOf(definition: unknown): Json {
  const variables =
    typeof definition === 'object' && definition !== null && 'environmentVariables' in definition
      ? definition.environmentVariables
      : undefined;
  return typeof variables === 'object' && variables !== null ? { ...variables } : {};
}
