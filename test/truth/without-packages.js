// Preloaded into linecheck: the packages that let it see more than errno are not installed.
import Module, { register } from 'node:module';

const HIDDEN = ['koffi', 'raw-socket'];

const gone = (name) => Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });

const { _resolveFilename: resolve } = Module;
Module._resolveFilename = function resolveUnlessHidden(request, ...rest) {
  if (HIDDEN.includes(request)) throw gone(request);
  return resolve.call(this, request, ...rest);
};

const hooks = `
const HIDDEN = ${JSON.stringify(HIDDEN)};
export async function resolve(specifier, context, next) {
  if (HIDDEN.includes(specifier)) throw (${gone.toString()})(specifier);
  return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
