import type { FastifyInstance } from 'fastify';
import { parse } from 'yaml';
import { errorText } from '../core/kit/errors.ts';
import { Problem } from './problem.ts';

const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/vnd.yaml'];

/** Bodies may be YAML too, and text that is kept as it is. */
export function acceptYaml(scope: FastifyInstance): void {
  scope.addContentTypeParser(yamlTypes, { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parse(String(text)));
    } catch (error) {
      done(new Problem(400, { message: `Invalid YAML: ${errorText(error)}` }));
    }
  });
  scope.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, text, done) => done(null, text));
}
