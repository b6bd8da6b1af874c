import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import t from 'tap';
import type { Host } from '../product/host.ts';
import { openEdge } from './edge-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** A program that is Chromium in the host's namespace. */
function browserOn(host: Host): string {
  const path = join(host.dir, 'chromium');
  const command = host.inside(['chromium']).map((word) => `'${word}'`);
  writeFileSync(path, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

t.test('Chromium uses the edge over HTTP/2 and WebSocket', { skip, timeout: 120_000 }, async (t) => {
  const { host } = await openEdge(t, 'browser');
  const browser = await chromium.launch({
    executablePath: browserOn(host),
    args: ['--no-sandbox', '--host-resolver-rules=MAP edge.example 127.0.0.1'],
  });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const answer = await page.goto('https://edge.example:8443/');
  t.equal(answer?.status(), 200);
  t.equal(await answer?.text(), 'hello\n');

  const protocols = await page.evaluate(async () => {
    const bodies = await Promise.all(
      Array.from({ length: 50 }, (_, n) => fetch(`/page?${n}`).then((response) => response.text())),
    );
    const large = await (await fetch('/large')).blob();
    const used = performance.getEntriesByType('resource').map((entry) => entry.toJSON().nextHopProtocol);
    return { used: [...new Set(used)], same: new Set(bodies).size, large: large.size };
  });
  t.same(protocols, { used: ['h2'], same: 1, large: 2 ** 20 });

  for (const origin of ['s://edge.example:8443', '://edge.example:8000']) {
    await page.goto(`http${origin}/`);
    const echoes = await page
      .evaluate(async (url) => {
        const socket = new WebSocket(url);
        const got: unknown[] = [];
        await new Promise((resolve, reject) => {
          socket.onerror = () => reject(new Error('the WebSocket failed'));
          socket.onopen = () => {
            for (let n = 0; n < 20; n++) socket.send(`message ${n}`);
          };
          socket.onmessage = ({ data }) => {
            if (got.push(data) === 20) resolve(undefined);
          };
        });
        return got;
      }, `ws${origin}/echo`)
      .catch((error: unknown) => String(error));
    t.same(
      echoes,
      Array.from({ length: 20 }, (_, n) => `message ${n}`),
      `ws${origin}`,
    );
  }
});
