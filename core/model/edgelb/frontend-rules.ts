import { regexFault } from '../route-shapes.ts';
import type { PoolFault } from './lenient.ts';
import type { Frontend, LinkRule } from './pool.ts';

/** A3, of one frontend. */
export function frontendFaults(frontend: Frontend, path: string): readonly PoolFault[] {
  const { name, bindAddress, bindPort, protocol, certificates, redirectToHttps } = frontend;
  const what = `frontend '${name}'`;
  return [
    ...fault(bindPort < 0, `${path}/bindPort`, `${what}: bindPort is missing or not from 0 to 65535`),
    ...fault(
      /[*[\]]/.test(bindAddress),
      `${path}/bindAddress`,
      `${what}: bindAddress '${bindAddress}' must not have *, [ or ]`,
    ),
    ...fault(protocol === undefined, `${path}/protocol`, `${what}: protocol is missing`),
    ...fault(
      protocol === 'HTTPS' && certificates.length === 0,
      `${path}/certificates`,
      `${what}: HTTPS needs certificates`,
    ),
    ...certificates.flatMap((reference, n) =>
      fault(
        !/^\$AUTOCERT$|^(\$ENVFILE|\$SECRETS)\/[a-zA-Z0-9_-]+$/.test(reference),
        `${path}/certificates/${n}`,
        `${what}: certificate '${reference}' must be $AUTOCERT, $SECRETS/FILE or $ENVFILE/NAME`,
      ),
    ),
    ...fault(
      redirectToHttps !== undefined && protocol !== 'HTTP',
      `${path}/redirectToHttps`,
      `${what}: redirectToHttps needs protocol HTTP`,
    ),
    ...frontend.linkBackend.map.flatMap((rule, n) =>
      ruleFaults(rule, { what, path: `${path}/linkBackend/map/${n}`, bare: protocol === 'TCP' }),
    ),
  ];
}

/** `bare`: conditions are not looked at (A5, TCP). */
function ruleFaults(
  rule: LinkRule,
  { what, path, bare }: { readonly what: string; readonly path: string; readonly bare: boolean },
): readonly PoolFault[] {
  const { backend, hostEq, hostReg, pathBeg, pathEnd, pathReg } = rule;
  const conditions = [hostEq, hostReg, pathBeg, pathEnd, pathReg].filter(
    (one) => one !== undefined && one !== '',
  );
  return [
    ...fault(backend === '', `${path}/backend`, `${what}: map entry without a backend`),
    ...fault(
      conditions.length === 0 && !bare,
      path,
      `${what}: map entry for backend '${backend}' without a condition`,
    ),
    ...(['hostEq', 'hostReg'] as const).flatMap((key) => {
      const text = rule[key] ?? '';
      const upper = key === 'hostReg' ? text.replace(/\\./g, '') : text;
      return fault(
        upper !== upper.toLowerCase(),
        `${path}/${key}`,
        `${what}: ${key} '${text}' must be lower case`,
      );
    }),
    ...(['hostReg', 'pathReg'] as const).flatMap((key) => {
      const text = rule[key] ?? '';
      const error = text === '' ? undefined : regexFault(text);
      return fault(error !== undefined, `${path}/${key}`, `${what}: ${key} '${text}' ${error}`);
    }),
  ];
}

function fault(holds: boolean, path: string, error: string): readonly PoolFault[] {
  return holds ? [{ path, error }] : [];
}
