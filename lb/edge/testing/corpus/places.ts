/** Requests that differ in one place each: what may not stand there, written there. All must be refused. */
type Named = readonly [name: string, text: string];

const get = 'GET / HTTP/1.1\r\n';
const host = 'Host: web.test\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;
const chunks = `${post}Transfer-Encoding: chunked\r\n\r\n`;
const last = '\r\nhello\r\n0\r\n\r\n';

/** NUL, other controls of C0, and DEL; not CR, LF and HTAB, which mean something. */
const controls = ['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f'];
const ofControl: Readonly<Record<string, (control: string) => string>> = {
  'in the method': (c) => `G${c}T / HTTP/1.1\r\n${host}\r\n`,
  'for the first space': (c) => `GET${c}/ HTTP/1.1\r\n${host}\r\n`,
  'in the target': (c) => `GET /a${c}b HTTP/1.1\r\n${host}\r\n`,
  'for the second space': (c) => `GET /${c}HTTP/1.1\r\n${host}\r\n`,
  'after the version': (c) => `GET / HTTP/1.1${c}\r\n${host}\r\n`,
  'before a field': (c) => `${get}${host}${c}X: y\r\n\r\n`,
  'in a field name': (c) => `${get}${host}X${c}Y: z\r\n\r\n`,
  'before a colon': (c) => `${get}${host}X${c}: y\r\n\r\n`,
  'before a value': (c) => `${get}${host}X: ${c}y\r\n\r\n`,
  'in a value': (c) => `${get}${host}X: y${c}z\r\n\r\n`,
  'after a value': (c) => `${get}${host}X: y${c}\r\n\r\n`,
  'in Host': (c) => `${get}Host: web${c}.test\r\n\r\n`,
  'after Host': (c) => `${get}Host: web.test${c}\r\n\r\n`,
  'before a length': (c) => `${post}Content-Length: ${c}5\r\n\r\nhello`,
  'after a length': (c) => `${post}Content-Length: 5${c}\r\n\r\nhello`,
  'before a coding': (c) => `${post}Transfer-Encoding: ${c}chunked\r\n\r\n0\r\n\r\n`,
  'after a coding': (c) => `${post}Transfer-Encoding: chunked${c}\r\n\r\n0\r\n\r\n`,
  'before a chunk size': (c) => `${chunks}${c}5${last}`,
  'after a chunk size': (c) => `${chunks}5${c}${last}`,
  'in the name of a chunk extension': (c) => `${chunks}5;a${c}${last}`,
  'in a chunk extension': (c) => `${chunks}5;a=${c}${last}`,
  'in a quoted chunk extension': (c) => `${chunks}5;a="${c}"${last}`,
  'in the name of a trailer': (c) => `${chunks}0\r\nX${c}: y\r\n\r\n`,
  'in a trailer': (c) => `${chunks}0\r\nX: ${c}y\r\n\r\n`,
};

const hosts = [
  ...[
    ':80',
    '@web.test',
    'u:p@web.test',
    'web.test@evil.test',
    'web.test evil.test',
    '//web.test',
    'http://web.test',
  ],
  ...['web.test:65536', 'web.test:99999999999', 'web.test:+80', 'web.test:-1', 'web.test:8a', 'web.test: 80'],
  ...[
    'web.test :80',
    'web.test:80:80',
    'web.test?x',
    'web.test#x',
    'web.test\\x',
    'web.test%',
    'web.test%0',
    '"web.test"',
  ],
  ...[
    '<web.test>',
    'web|test',
    'web^test',
    'web`test',
    'web{test}',
    '[::1',
    '::1',
    '[::1]x',
    '[::1]:x',
    '[::1]]',
    '[]',
  ],
  ...['[web.test]', '[::g]', '[fe80::1%25eth0]', '[fe80::1%eth0]', 'w\xe9b.test'],
];

const targets = [
  ...['?a', '#', '\\', '\\a', '..', '../x', '*', 'web.test', 'web.test:80', '/a#b', '/?a#b'],
  ...[
    'http://',
    'http:',
    'http:x',
    'http:/x',
    'http:///x',
    'http//web.test/',
    '://web.test/',
    'ftp://web.test/',
    'file:///x',
  ],
  ...[
    'http://u@web.test/',
    'http://u:p@web.test/',
    'http://web.test:x/',
    'http://web.test:99999/',
    'http://[::1/',
    'urn:x:y',
  ],
  ...[
    'http://web.test#x',
    'http://web.test\\x',
    'http://web.test\\@evil.test/',
    'ws://web.test/',
    'javascript:x',
  ],
];

const versions = [
  ...[
    'HTTP/1',
    'HTTP/1.',
    'HTTP/.1',
    'HTTP/1,1',
    'HTTP/+1.1',
    'HTTP/-1.1',
    'HTTP/1.a',
    'HTTP/11.1',
    'HTTP/1.01',
    'HTTP /1.1',
  ],
  ...[
    'HTTP/ 1.1',
    'HTTPS/1.1',
    'ICY/1.1',
    'RTSP/1.0',
    'HTTP\\1.1',
    'Http/1.1',
    'HTTP/2',
    'HTTP/2.0',
    'HTTP/1.1 HTTP/1.1',
  ],
];

const sizes = [
  ...[
    '-5',
    '+5',
    '-0',
    '5_',
    '1_0',
    '5h',
    'g',
    '',
    '5.',
    '5,5',
    '5 5',
    '\t5',
    '5\t',
    '0X5',
    '5;=b',
    '5;a=',
    '5;;a',
    '5;a b',
    ';a',
  ],
  ...[
    '20000000000001',
    '8000000000000000',
    '10000000000000005',
    'f'.repeat(20),
    '0'.repeat(5_000),
    '5;a="b"c',
    "5;a='b c'",
  ],
];

export const misplaced: readonly Named[] = [
  ...controls.flatMap((control) =>
    Object.entries(ofControl).map(
      ([place, write]): Named => [`${JSON.stringify(control)} ${place}`, write(control)],
    ),
  ),
  ...hosts.map((name): Named => [`the Host ${name}`, `${get}Host: ${name}\r\n\r\n`]),
  ...targets.map((target): Named => [`the target ${target}`, `GET ${target} HTTP/1.1\r\n${host}\r\n`]),
  ...versions.map((version): Named => [`the version ${version}`, `GET / ${version}\r\n${host}\r\n`]),
  ...sizes.map((size): Named => [`the chunk size ${size.slice(0, 40)}`, `${chunks}${size}${last}`]),
];
