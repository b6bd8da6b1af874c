import { errorCode, errorText } from '../../core/kit/errors.ts';
import type { Authority, Challenge, ChallengeType, Issuance } from '../../core/model/issuance.ts';
import { type CaaRecord, challengePorts, type Edges, type Refusal, type Surroundings } from './ports.ts';

export type PreflightDependencies = { readonly edges: Edges; readonly surroundings: Surroundings };

export type PreflightQuestion = {
  readonly issuance: Issuance;
  readonly authority: Authority;
  /** Names that the authority goes by in CAA records; empty: it does not say. */
  readonly identities: readonly string[];
  /** In force on every edge: one for each host. */
  readonly probes: readonly Challenge[];
};

/** Everything that would make the authority refuse, as far as it can be seen from here; empty: nothing. For people. */
export async function preflightFaults(
  dependencies: PreflightDependencies,
  question: PreflightQuestion,
): Promise<readonly string[]> {
  const faults = await Promise.all(
    question.probes.map((probe) => faultsOfHost(dependencies, question, probe)),
  );
  return faults.flat();
}

async function faultsOfHost(
  { edges, surroundings }: PreflightDependencies,
  { issuance, authority, identities }: PreflightQuestion,
  probe: Challenge,
): Promise<readonly string[]> {
  const { host } = probe;
  const { resolver } = authority;
  const routed = edges.isRouted(host)
    ? []
    : [`no route leads from ${host} to an app: weir route add ${host} APP`];
  const caa = await caaFault(surroundings, { host, resolver, identities, challenge: issuance.challenge });
  const addresses = await surroundings.addresses(host, resolver).catch((error: unknown) => failure(error));
  if (!Array.isArray(addresses) || addresses.length === 0) {
    const why = Array.isArray(addresses) ? 'it has no address' : String(addresses);
    return [...routed, ...caa, `${host} does not resolve: ${why}`];
  }
  const refusals = await Promise.all(
    addresses.map(async (address: string) => {
      const refusal = await surroundings.prove(address, probe);
      return refusal === undefined
        ? []
        : [refusalText(host, { address, refusal }, [edges, issuance.challenge])];
    }),
  );
  return [...routed, ...caa, ...refusals.flat()];
}

function failure(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOTFOUND') return 'there is no such name';
  return code === undefined ? errorText(error) : `the resolver says ${code}`;
}

function refusalText(
  host: string,
  { address, refusal }: { readonly address: string; readonly refusal: Refusal },
  [{ addresses }, challenge]: readonly [Edges, ChallengeType],
): string {
  const port = challengePorts[challenge];
  const edge = addresses.find((one) => one.address === address);
  const flag = challenge === 'http-01' ? '--http' : '--https';
  if (edge !== undefined) {
    const said = refusal.kind === 'stranger' ? `does not prove it is ours` : 'does not answer';
    return `${host}: the edge ${edge.name} at ${address} ${said} on port ${port} (${refusal.detail}); start it with ${flag} 0.0.0.0:${port}`;
  }
  const known = addresses.map((one) => one.address).join(', ') || 'none is connected';
  return `${host} resolves to ${address}, where no edge of ours answers on port ${port} (${refusal.detail}); our edges: ${known}`;
}

type CaaQuestion = {
  readonly host: string;
  readonly resolver: string | undefined;
  readonly identities: readonly string[];
  readonly challenge: ChallengeType;
};

/** The records of the name, or else of the nearest domain above it, say who may issue (RFC 8659 §3). */
async function caaFault(surroundings: Surroundings, question: CaaQuestion): Promise<readonly string[]> {
  const labels = question.host.split('.');
  for (let from = 0; from < labels.length; from += 1) {
    const name = labels.slice(from).join('.');
    const records = await surroundings.caa(name, question.resolver).catch((error: unknown) => {
      // Anything but "there are none" keeps an authority from issuing.
      return errorCode(error) === 'ESERVFAIL' ? 'failed' : [];
    });
    if (records === 'failed') return [`the CAA records of ${name} cannot be looked up: the resolver fails`];
    if (records.length > 0) return judgeCaa(name, records, question);
  }
  return [];
}

function judgeCaa(
  name: string,
  records: readonly CaaRecord[],
  { host, identities, challenge }: CaaQuestion,
): readonly string[] {
  const issuers = records.filter(({ tag }) => tag === 'issue').map(({ value }) => readIssuer(value));
  if (issuers.length === 0) return [];
  const allowed = issuers.some(
    ({ domain, methods }) =>
      domain !== '' &&
      (identities.length === 0 || identities.includes(domain)) &&
      (methods === undefined || methods.includes(challenge)),
  );
  if (allowed) return [];
  const said = issuers.map(({ text }) => `"${text}"`).join(', ');
  const wanted = identities.length === 0 ? 'any' : identities.join(' or ');
  return [
    `CAA records of ${name} forbid to issue for ${host}: they allow ${said}, not ${wanted} by ${challenge}`,
  ];
}

/** RFC 8659 §4.2; the parameter is of RFC 8657. */
function readIssuer(text: string) {
  const [domain = '', ...parameters] = text.split(';').map((part) => part.trim());
  const methods = parameters
    .map((parameter) => parameter.split('='))
    .find(([key = '']) => key.trim().toLowerCase() === 'validationmethods')?.[1];
  return { text, domain: domain.toLowerCase(), methods: methods?.split(',').map((method) => method.trim()) };
}
