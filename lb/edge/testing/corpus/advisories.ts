/**
 * What public advisories of 2023 to 2026 and the research beside them have sent, each as close as it can be to what it was found with.
 * Names say where it was found; others than those named had many of them too.
 */
const line = 'GET / HTTP/1.1\r\n';
const host = 'Host: web.test\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;

function chunked(content: string): string {
  return `${post}Transfer-Encoding: chunked\r\n\r\n${content}`;
}

function target(text: string): string {
  return `GET ${text} HTTP/1.1\r\n${host}\r\n`;
}

function version(text: string): string {
  return `GET / ${text}\r\n${host}\r\n`;
}

function hostOf(value: string): string {
  return `${line}Host: ${value}\r\n\r\n`;
}

function field(text: string): string {
  return `POST / HTTP/1.1\r\n${host}${text}\r\n\r\n${smuggled}`;
}

const chunks: Readonly<Record<string, string>> = {
  'a line feed in a chunk extension, a size after it (CVE-2025-55315)': chunked(
    `2;\nxx\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  ),
  'a carriage return in a chunk extension (CVE-2024-53868)': chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'a carriage return in a quoted chunk extension': chunked('5;a="\r"\r\nhello\r\n0\r\n\r\n'),
  'CRLF in a quoted chunk extension': chunked('5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
  'an escaped line feed in a chunk extension': chunked('5;a="\\\n"\r\nhello\r\n0\r\n\r\n'),
  'a blank before a chunk extension': chunked('5 ;a\r\nhello\r\n0\r\n\r\n'),
  'a tab before a chunk extension': chunked('5\t;a\r\nhello\r\n0\r\n\r\n'),
  'NUL in a chunk extension': chunked('5;a=\0\r\nhello\r\n0\r\n\r\n'),
  'chunk extensions without end': chunked(`5${';a=b'.repeat(20_000)}`),
  'any two bytes after a chunk (CVE-2025-43859)': chunked('5\r\nhelloXX0\r\n\r\n'),
  'nothing after a chunk': chunked('5\r\nhello0\r\n\r\n'),
  'one byte after a chunk': chunked('5\r\nhelloX0\r\n\r\n'),
  'a carriage return alone after a chunk': chunked('5\r\nhello\r0\r\n\r\n'),
  'LF CR after a chunk': chunked('5\r\nhello\n\r0\r\n\r\n'),
  'an empty line before a chunk (CVE-2025-30346)': chunked('5\r\nhello\r\n\r\n0\r\n\r\n'),
  'an empty line before the first chunk': chunked('\r\n5\r\nhello\r\n0\r\n\r\n'),
  'a chunk larger than its size, a request in it (CVE-2025-66373)': chunked(
    `2\r\nxx${smuggled}\r\n0\r\n\r\n`,
  ),
  'a chunk line that ends in CR CR LF': chunked('5\r\r\nhello\r\n0\r\n\r\n'),
  'a chunk line that ends in a carriage return': chunked('5\rhello\r\n0\r\n\r\n'),
  'a last chunk that ends in a line feed (CVE-2025-22871)': chunked(`0\n\r\n${smuggled}`),
  'a last chunk and a line feed alone': chunked(`0\r\n\n${smuggled}`),
  'a last chunk and two line feeds': chunked(`0\n\n${smuggled}`),
  'a last chunk and a carriage return alone': chunked(`0\r\n\r${smuggled}`),
  'a chunk size that is zero with a sign': chunked(`-0\r\n\r\n${smuggled}`),
  'a chunk size with a plus (CVE-2023-38697)': chunked('+5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with an underscore (CVE-2023-47627)': chunked('1_0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  'a chunk size after a blank': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size after a tab': chunked('\t5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size before a tab': chunked('5\t\r\nhello\r\n0\r\n\r\n'),
  'a chunk size before NUL': chunked('5\0\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with an h': chunked('5h\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a point': chunked('5.0\r\nhello\r\n0\r\n\r\n'),
  'a chunk size in quotes': chunked('"5"\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a digit of another script': chunked('\xd9\xa5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size one beyond 64 bits': chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that is negative in 64 bits': chunked('ffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that is the least number of 64 bits': chunked('8000000000000000\r\nhello\r\n0\r\n\r\n'),
  'a chunk size of a thousand zeros': chunked(`${'0'.repeat(1_000)}5\r\nhello\r\n0\r\n\r\n`),
  'no chunk size but an extension': chunked(';a\r\nhello\r\n0\r\n\r\n'),
};

const trailers: Readonly<Record<string, string>> = {
  'a trailer section without end (CVE-2023-46589)': chunked(
    `0\r\n${'X: y\r\n'.repeat(4_000)}\r\n${smuggled}`,
  ),
  'a trailer too long': chunked(`0\r\nX: ${'y'.repeat(20_000)}\r\n\r\n${smuggled}`),
  'a trailer without colon (CVE-2024-35161)': chunked(`0\r\nX\r\n\r\n${smuggled}`),
  'a trailer that is a request (CVE-2025-58068)': chunked(`0\r\n${smuggled}`),
  'a trailer that ends in a line feed': chunked(`0\r\nX: y\n\r\n${smuggled}`),
  'a trailer that ends in a carriage return': chunked(`0\r\nX: y\r\r\n${smuggled}`),
  'a trailer that is folded': chunked(`0\r\nX: y\r\n z\r\n\r\n${smuggled}`),
  'a trailer that begins with a blank': chunked(`0\r\n X: y\r\n\r\n${smuggled}`),
  'a trailer without name': chunked(`0\r\n: y\r\n\r\n${smuggled}`),
  'a trailer with NUL': chunked(`0\r\nX: \0\r\n\r\n${smuggled}`),
  'a trailer that names a length and a request after it': chunked(
    `0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ),
  'a trailer that upgrades': chunked(`0\r\nUpgrade: websocket\r\n\r\n${smuggled}`),
};

const lines: Readonly<Record<string, string>> = {
  'CR CR LF after the version': `GET / HTTP/1.1\r\r\n${host}\r\n`,
  'CR CR LF after a field (CVE-2023-30589)': `${line}Host: web.test\r\r\n\r\n`,
  'a head that ends in CR LF CR X (CVE-2025-23167)': `${line}${host}\rX${smuggled}`,
  'LF CR at the end of the head': `${line}${host}\n\r`,
  'a vertical tab after the method': `GET\x0b/ HTTP/1.1\r\n${host}\r\n`,
  'a form feed after the method': `GET\x0c/ HTTP/1.1\r\n${host}\r\n`,
  'a hard space after the method': `GET\xa0/ HTTP/1.1\r\n${host}\r\n`,
  'CRLF in the method (CVE-2023-49082)': `GE\r\nT / HTTP/1.1\r\n${host}\r\n`,
  'NUL in the method': `G\0ET / HTTP/1.1\r\n${host}\r\n`,
  'a byte order mark before the method': `\xef\xbb\xbfGET / HTTP/1.1\r\n${host}\r\n`,
  'two empty lines before it': `\r\n\r\n${line}${host}\r\n`,
  'a line feed before it': `\n${line}${host}\r\n`,
  'three parts after the method': `GET / x HTTP/1.1\r\n${host}\r\n`,
  'two versions': `GET / HTTP/1.1 HTTP/1.1\r\n${host}\r\n`,
};

const targets: Readonly<Record<string, string>> = {
  'a target that is a query': target('?x'),
  'a target that is a host': target('web.test/'),
  'a target that is an asterisk': target('*'),
  'a target that is two slashes back': target('\\\\web.test\\'),
  'a target with a user (absolute)': target('http://u@web.test/'),
  'a target with a user and password (absolute)': target('http://u:p@web.test/'),
  'a target whose user is a host': target('http://web.test@other.test/'),
  'a target whose user is a host, by a backslash': target('http://web.test\\@other.test/'),
  'a target with two ports': target('http://web.test:80:81/'),
  'a target with a port too large': target('http://web.test:65536/'),
  'a target with a port of letters': target('http://web.test:http/'),
  'a target without authority': target('http:///'),
  'a target that is a scheme': target('http://'),
  'a target with one slash': target('http:/web.test/'),
  'a target of another scheme': target('ftp://web.test/'),
  'a target that is script': target('javascript:alert(1)'),
  'a target with a fragment (absolute)': target('http://web.test/#f'),
  'a target with a fragment after a query (CVE-2023-45539)': target('/index.html?a#.png'),
  'a target with an open bracket': target('http://[::1/'),
  'a target with a zone': target('http://[fe80::1%25eth0]/'),
  'a target with NUL': target('/a\0b'),
  'a target with a tab': target('/a\tb'),
  'a target with DEL': target('/a\x7f'),
  'a target with UTF-8': target('/\xc3\xa9'),
  'a target with a carriage return': target('/a\rb'),
  'a target with a line feed': target('/a\nb'),
};

const versions: Readonly<Record<string, string>> = {
  'HTTP/1.2': version('HTTP/1.2'),
  'HTTP/2.0': version('HTTP/2.0'),
  'HTTP/0.9 in words': version('HTTP/0.9'),
  'a version of three numbers': version('HTTP/1.1.1'),
  'a version with a comma': version('HTTP/1,1'),
  'a version with a plus': version('HTTP/+1.1'),
  'a version without minor number': version('HTTP/1.'),
  'a version without point': version('HTTP/11'),
  'a version with a blank': version('HTTP/ 1.1'),
  'a version with a tab': version('HTTP/1.1\t'),
  'a version with NUL': version('HTTP/1.1\0'),
  'a version of another protocol': version('ICY/1.1'),
  'HTTPS as version': version('HTTPS/1.1'),
  'a version with digits of another script (CVE-2023-49081)': version('HTTP/\xd9\xa1.1'),
};

const hosts: Readonly<Record<string, string>> = {
  'a Host with NUL': hostOf('web.test\0.other.test'),
  'a Host with a vertical tab': hostOf('web.test\x0b'),
  'a Host with a query': hostOf('web.test?x'),
  'a Host with a fragment': hostOf('web.test#x'),
  'a Host with a backslash': hostOf('web.test\\x'),
  'a Host with a scheme': hostOf('http://web.test'),
  'a Host in quotes': hostOf('"web.test"'),
  'a Host that is a port': hostOf(':80'),
  'a Host with a negative port': hostOf('web.test:-80'),
  'a Host with a hexadecimal port': hostOf('web.test:0x50'),
  'a Host with a port too large': hostOf('web.test:99999'),
  'a Host with a port and a host': hostOf('web.test:80@other.test'),
  'a Host with an open bracket': hostOf('[::1'),
  'a Host with text after a bracket': hostOf('[::1].web.test'),
  'a Host with a zone': hostOf('[fe80::1%25eth0]'),
  'a Host with a letter beyond ASCII': hostOf('w\xe9b.test'),
  'a Host that is folded (CVE-2024-27982)': hostOf('\r\n web.test'),
  'two Hosts, one masked by a blank': `${line} Host: other.test\r\n${host}\r\n`,
  'two Hosts, one masked by a blank before the colon': `${line}${host}Host : other.test\r\n\r\n`,
};

const fields: Readonly<Record<string, string>> = {
  'Connection that names Host': field('Connection: host'),
  'Connection that names a coding (CVE-2026-26365)': field(
    'Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked',
  ),
  'Connection with a vertical tab': field('Connection: \x0bclose'),
  'Connection with a quoted word': field('Connection: "close"'),
  'a coding in HTTP/1.0 that keeps the connection (CVE-2026-2835)': `POST / HTTP/1.0\r\n${host}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'both lengths in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a coding with a comma at its end (CVE-2026-54387)': field(
    'Transfer-Encoding: chunked,\r\nContent-Length: 5',
  ),
  'an expectation and another word': field('Expect: y 100-continue\r\nContent-Length: 5'),
  'an expectation twice in one field': field('Expect: 100-continue, 100-continue\r\nContent-Length: 5'),
  'an expectation that is folded (CVE-2025-32094)': `OPTIONS / HTTP/1.1\r\n${host}Expect:\r\n 100-continue\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  'an expectation and one unknown': field('Expect: 100-continue\r\nExpect: x\r\nContent-Length: 5'),
  'an expectation with a vertical tab': field('Expect: 100-continue\x0b\r\nContent-Length: 5'),
  'a name in quotes': field('"Content-Length": 5'),
  'a name with a semicolon': field('Content-Length;: 5'),
  'a name with an equals sign': field('Content-Length=5'),
  'a name in parentheses': field('(Content-Length): 5'),
  'a name with a comma': field('Content-Length,: 5'),
  'a name with a slash': field('X/Content-Length: 5'),
  'a name with an at sign': field('@Content-Length: 5'),
  'a name with a byte order mark': field('\xef\xbb\xbfContent-Length: 5'),
  'a name with a soft hyphen': field('Content\xadLength: 5'),
  'a name after a vertical tab': field('\x0bContent-Length: 5'),
  'a name before DEL': field('Content-Length\x7f: 5'),
  'a name before NUL (CVE-2024-52530)': field('Transfer-Encoding\0: chunked\r\nContent-Length: 5'),
  'no name at all (CVE-2023-25725)': field(': x\r\nContent-Length: 5'),
  'an empty length and content (CVE-2023-40225)': field('Content-Length:'),
  'a length and an empty one': field(`Content-Length: ${smuggled.length}\r\nContent-Length:`),
  'a length in another script': field('Content-Length: \xd9\xa5'),
  'a length that is negative in 64 bits': field('Content-Length: 18446744073709551615'),
};

export const advisoriesRefused: Readonly<Record<string, string>> = {
  ...chunks,
  ...trailers,
  ...lines,
  ...targets,
  ...versions,
  ...hosts,
  ...fields,
};

const first = '^POST \\/ HTTP\\/1\\.1\\r\\nHost: web\\.test\\r\\n';

function whole(rest: string): RegExp {
  return new RegExp(`${first}${rest}`);
}

/** Odd, and one canonical request all the same. */
export const advisoriesCanonical: Readonly<Record<string, readonly [text: string, forwarded: RegExp]>> = {
  'a length with zeros before it': [
    `${post}Content-Length: 0005\r\n\r\nhello`,
    whole('(?![\\s\\S]*0005)[\\s\\S]*\\r\\nContent-Length: 5\\r\\n[\\s\\S]*\\r\\n\\r\\nhello$'),
  ],
  'a length without a blank before it': [
    `${post}Content-Length:5 \r\n\r\nhello`,
    whole('(?!Content-Length:5)[\\s\\S]*\\r\\nContent-Length: 5\\r\\n[\\s\\S]*\\r\\n\\r\\nhello$'),
  ],
  'a coding in capitals': [
    `${post}Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    whole(
      '(?![\\s\\S]*CHUNKED)[\\s\\S]*\\r\\nTransfer-Encoding: chunked\\r\\n[\\s\\S]*hello\\r\\n0\\r\\n\\r\\n$',
    ),
  ],
  'a coding with a blank after it (CVE-2026-54387)': [
    `${post}Transfer-Encoding: chunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    whole('(?![\\s\\S]*chunked )[\\s\\S]*\\r\\nTransfer-Encoding: chunked\\r\\n'),
  ],
  'a Host with blanks around it': [
    `GET / HTTP/1.1\r\nHost: \t web.test \t\r\nA: b\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nA: b\r\nX-F/,
  ],
  'names with an underscore for a hyphen (CVE-2025-64484)': [
    `${line}${host}X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX_Own: 1\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nX_Own: 1\r\nX-Forwarded-For: 127\.0\.0\.1\r\n(?![\s\S]*(6\.6|https|Encoding|Length))/,
  ],
  'a proxy for the service (CVE-2016-5385)': [
    `${line}${host}Proxy: http://other.test/\r\nA: b\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nA: b\r\n(?![\s\S]*other)/,
  ],
  'Connection that names what the edge adds': [
    `${line}${host}Connection: x-forwarded-for, x-forwarded-proto, x-request-id, via\r\n\r\n`,
    /^GET[\s\S]*X-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\n[\s\S]*X-Request-Id: id[\s\S]*Via: 1\.1 weir\r\n\r\n$/,
  ],
  'content of OPTIONS (TE.0)': [
    `OPTIONS / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    /^OPTIONS \/ HTTP\/1\.1\r\nHost: web\.test\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  ],
  'content of a GET (0.CL)': [
    `${line}${host}Content-Length: 5\r\n\r\nhello`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nContent-Length: 5\r\n[\s\S]*\r\n\r\nhello$/,
  ],
  'a percent-encoded NUL and CRLF (CVE-2023-25690)': [
    `GET /a%00b%0d%0aX:%20y HTTP/1.1\r\n${host}\r\n`,
    /^GET \/a%00b%0d%0aX:%20y HTTP\/1\.1\r\nHost: web\.test\r\n/,
  ],
  'a method in lower case': [`get / HTTP/1.1\r\n${host}\r\n`, /^get \/ HTTP\/1\.1\r\n/],
  'an upgrade of a request with content': [
    `${post}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello`,
    whole('(?![\\s\\S]*[Uu]pgrade)[\\s\\S]*Content-Length: 5\\r\\n[\\s\\S]*hello$'),
  ],
  'an upgrade that Connection does not name': [
    `${line}${host}Upgrade: websocket\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nX-F(?![\s\S]*[Uu]pgrade)/,
  ],
  'an upgrade to h2c behind another': [
    `${line}${host}Connection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nX-F(?![\s\S]*(Upgrade|h2c))/,
  ],
  'trailers that would change who asks': [
    chunked(
      '0\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: a\r\nCookie: a=b\r\nX_Request_Id: c\r\nX-Sum: 1\r\n\r\n',
    ),
    whole('(?![\\s\\S]*(6\\.6|uthorization|ookie|_))[\\s\\S]*\\r\\n\\r\\n0\\r\\nX-Sum: 1\\r\\n\\r\\n$'),
  ],
  'a hundred chunks of one byte': [
    chunked(`${'1\r\nx\r\n'.repeat(100)}0\r\n\r\n`),
    whole('[\\s\\S]*\\r\\n\\r\\n(1\\r\\nx\\r\\n){100}0\\r\\n\\r\\n$'),
  ],
};
