import { CniError, withContext } from '../errors.ts';
import { isObject, type Json, parseJson } from '../json.ts';
import { NEWEST_VERSION } from '../versions.ts';
import { type Invoker, invokePlugin } from './plugin.ts';

/** VERSION. Plugins of 0.1 do not know the command, and those of 0.2 may answer without a list. */
export async function pluginVersions(invoker: Invoker, type: string): Promise<readonly string[]> {
  const stdin = JSON.stringify({ cniVersion: NEWEST_VERSION });
  try {
    return supported(parseJson(await invokePlugin(invoker, { command: 'VERSION', type, stdin })));
  } catch (error) {
    if (error instanceof SyntaxError) throw noAnswer(type, error);
    if (error instanceof CniError && error.reason.includes('unknown CNI_COMMAND: VERSION')) return ['0.1.0'];
    throw error;
  }
}

function supported(answer: Json): readonly string[] {
  const list = isObject(answer) ? answer.supportedVersions : undefined;
  return Array.isArray(list) ? list.map(String) : ['0.1.0', '0.2.0'];
}

function noAnswer(type: string, cause: unknown): CniError {
  const reason = `plugin ${type} answered without a JSON result`;
  const error = new CniError('WEIR_CNI_PLUGIN_OUTPUT', reason, { cniCode: 6, cause });
  return withContext(error, { command: 'VERSION', plugin: type });
}
