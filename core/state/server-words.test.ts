import t from 'tap';
import { readServerLines } from './haproxy-lines.ts';
import { serverWords } from './server-words.ts';

for (const [text, expected] of [
  ['check inter 4s fall 5 rise 2', { options: { check: { intervalMs: 4_000, fall: 5, rise: 2 } } }],
  ['inter 4s', { options: {} }],
  ['ssl verify none', { options: { tls: { insecure: true } } }],
  ['ssl verify required verifyhost a.example', { options: { tls: { serverName: 'a.example' } } }],
  ['ssl sni str(a.example)', { options: { tls: { serverName: 'a.example' } } }],
  ['ssl', { options: { tls: {} } }],
  ['verify none', { options: {} }],
  ['send-proxy', { options: { sendProxy: 'v1' } }],
  ['send-proxy-v2 check', { options: { sendProxy: 'v2', check: {} } }],
  ['proto h2', { options: { protocol: 'h2c' } }],
  ['weight 20 backup', { options: {}, weight: 20, backup: true }],
  ['check check-ssl ssl verify none', { options: { check: {}, tls: { insecure: true } } }],
] as const)
  t.test(`the words of a server "${text}" mean what they mean to HAProxy`, async (t) => {
    t.same(serverWords(text), { ...expected, rest: [] });
  });

for (const [text, rest] of [
  ['maxconn 100 check', ['maxconn 100']],
  ['ssl verify maybe', ['verify maybe']],
  ['ssl ca-file /etc/ca.pem', ['ca-file /etc/ca.pem']],
  ['ssl sni req.hdr(host)', ['sni req.hdr(host)']],
  ['fall 0', ['fall 0']],
  ['inter', ['inter']],
  ['weight 999', ['weight 999']],
  ['nothing', ['nothing']],
  ['on-marked-down shutdown-sessions', ['on-marked-down shutdown-sessions']],
] as const)
  t.test(`words that nothing comes of are named with what belongs to them: ${text}`, async (t) => {
    t.same(serverWords(text).rest, rest);
  });

t.test("a template of servers counts by the words behind marathon-lb's own", async (t) => {
  const usual =
    '  server {serverName} {host_ipv4}:{port} id {serverId}{cookieOptions}{healthCheckOptions}{otherOptions}';
  t.same(readServerLines(`${usual}\n`, {}), { options: {}, rest: [] });
  t.same(readServerLines(`${usual} ssl verify none\n`, {}), {
    options: { tls: { insecure: true } },
    rest: [],
  });
  t.same(readServerLines('  server x 10.0.0.1:80 check', {}).rest, ['server x 10.0.0.1:80 check']);
});
