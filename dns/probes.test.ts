import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const run = promisify(execFile);
const skip = existsSync('/usr/lib/python3/dist-packages/dns') ? false : 'needs python3-dnspython';
const directory = snapshot(7, {
  endpoints: Array.from({ length: 120 }, (_, i) =>
    containerEndpoint('/many', `i${i}`, { addresses: [{ network: 'weir', ip: `100.64.2.${i}` }] }),
  ),
  vips: [vip('/shop/web', ['web.shop.weir'])],
});

/** RFC 6891, and what others found servers to get wrong (draft-ietf-dnsop-no-response-issue, RFC 8906). */
const expected = `plain: NOERROR answers 1 edns none
version 0: NOERROR answers 1 edns version 0 flags 0x0000 options []
version 1: BADVERS answers 0 edns version 0 flags 0x0000 options []
version 1 with an unknown option: BADVERS answers 0 edns version 0 flags 0x0000 options []
unknown option: NOERROR answers 1 edns version 0 flags 0x0000 options []
unknown flag: NOERROR answers 1 edns version 0 flags 0x0000 options []
dnssec ok: NOERROR answers 1 edns version 0 flags 0x8000 options []
all of it: NOERROR answers 1 edns version 0 flags 0x8000 options []
small buffer: NOERROR answers 1 edns version 0 flags 0x0000 options []
tcp: NOERROR answers 1 edns version 0 flags 0x0000 options []
client cookie: NOERROR answers 1 edns version 0 flags 0x0000 options [10]
cookie 24 True
cookie again True
bad cookie: FORMERR answers 0 edns version 0 flags 0x0000 options []
nsid [b'h1']
unknown type: NOERROR answers 0 edns version 0 flags 0x0000 options []
unknown class: REFUSED answers 0 edns version 0 flags 0x0000 options []
any: NOERROR answers 1 edns none
refused: REFUSED answers 0 edns version 0 flags 0x0000 options [15]
case wEb.ShOp.WEIR.
truncated True 120`;

t.test('the probes of python3-dnspython find EDNS as the standards say', { skip }, async (t) => {
  const { at } = await runResolver(t, { directory, server: { identity: 'h1' } });
  const script = fileURLToPath(new URL('./testing/probes.py', import.meta.url));
  const { stdout } = await run('/usr/bin/python3', [script, at.address, String(at.port)]);
  t.same(stdout.trim().split('\n'), expected.split('\n'));
});
