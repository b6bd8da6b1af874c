/** fromPath, toPath, the path that is asked for, and the one that servers get (ingress.md A6). */
export const rewriteCases = [
  ['/nginx', '', '/nginx', '/'],
  ['/nginx', '/', '/nginx', '/'],
  ['/nginx', '/', '/nginx/', '/'],
  ['/nginx', '/', '/nginx/index.html', '/index.html'],
  ['/nginx', '/', '/nginx/subpath/index.html', '/subpath/index.html'],
  ['/nginx/', '', '/nginx', '/nginx'],
  ['/nginx/', '', '/nginx/', '/'],
  ['/nginx', '/subpath', '/nginx', '/subpath'],
  ['/nginx', '/subpath', '/nginx/', '/subpath/'],
  ['/nginx', '/subpath', '/nginx/index.html', '/subpath/index.html'],
  ['/nginx', '/subpath/', '/nginx/index.html', '/subpath//index.html'],
  ['/nginx/', '/subpath/', '/nginx/index.html', '/subpath/index.html'],
  // A prefix of characters, not of segments.
  ['/nginx', '/', '/nginxfoo', '/foo'],
  ['/nginx', '/subpath', '/nginxfoo', '/subpathfoo'],
  ['/nginx', '/', '/other/nginx', '/other/nginx'],
  // What is asked for behind it stays.
  ['/nginx', '/', '/nginx/a?b=/nginx', '/a?b=/nginx'],
] as const;
