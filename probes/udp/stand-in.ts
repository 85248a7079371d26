// The smallest honest UDP peer: it answers any datagram with no more bytes than it got.
import type { StandIn } from '../../src/contract/probe.js';
import { answerTo } from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request) {
    const answer = answerTo(request);
    return answer === undefined ? [] : [answer];
  },
};
