// The smallest LDAP server: a root DSE for everybody, StartTLS, an anonymous bind; it lets nobody else in.
import { EndOfStream } from '../../src/bytes/errors.js';
import type { Stage, StandIn, Stream } from '../../src/contract/probe.js';
import {
  OPERATION,
  RESULT,
  START_TLS,
  encodeEntry,
  encodeResult,
  parseRequest,
  takeMessage,
  type LdapRequest,
} from './packet.js';

/** A client of this server has five things to say. */
const MAX_REQUESTS = 16;
const LDAPS_PORTS: readonly number[] = [636, 3269];
const ROOT_DSE = [
  { type: 'supportedLDAPVersion', values: ['3'] },
  { type: 'supportedExtension', values: [START_TLS] },
  { type: 'vendorName', values: ['linecheck stand-in'] },
];

/** @param implicit TLS from the start */
export async function serve(accepted: Stream, stage: Stage, implicit: boolean): Promise<void> {
  let stream = implicit ? await stage.secure(accepted) : accepted;
  let secured = implicit;
  try {
    for (let count = 0; count < MAX_REQUESTS; count += 1) {
      const request = parseRequest(await takeMessage(stream));
      if (request.kind === 'unbind') return;
      const begins = request.kind === 'extended' && request.name === START_TLS && !secured;
      await stream.write(begins ? result(request.id, OPERATION.extendedResponse, RESULT.success) : replyTo(request));
      if (begins) {
        stream = await stage.secure(stream);
        secured = true;
      }
    }
  } catch (error) {
    // A client that leaves without a word has its answer too.
    if (!(error instanceof EndOfStream)) throw error;
  }
}

function result(id: number, operation: number, code: number, diagnostic = ''): Uint8Array {
  return encodeResult(id, operation, { code, diagnostic });
}

function replyTo(request: LdapRequest): Uint8Array {
  const { id } = request;
  switch (request.kind) {
    case 'bind':
      return request.anonymous
        ? result(id, OPERATION.bindResponse, RESULT.success)
        : result(id, OPERATION.bindResponse, RESULT.invalidCredentials, 'linecheck stand-in: nobody can log in here');
    case 'search':
      return request.base === ''
        ? Buffer.concat([encodeEntry(id, '', ROOT_DSE), result(id, OPERATION.searchResultDone, RESULT.success)])
        : result(id, OPERATION.searchResultDone, RESULT.noSuchObject);
    case 'extended':
      return result(id, OPERATION.extendedResponse, RESULT.operationsError);
    case 'unbind':
    case 'other':
      return result(id, OPERATION.extendedResponse, RESULT.protocolError);
  }
}

export const standIn: StandIn = {
  carrier: 'tcp',
  session: (stream, stage) => serve(stream, stage, LDAPS_PORTS.includes(stream.local.port)),
};
