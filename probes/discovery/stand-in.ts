// The smallest device that can be discovered: it answers any datagram with no more bytes than it got, from where it was asked.
import type { StandIn } from '../../src/contract/probe.js';
import { answerTo } from './packet.js';

export const standIn: StandIn = {
  carrier: 'udp',
  reply(request) {
    const answer = answerTo(request);
    return answer === undefined ? [] : [answer];
  },
};
