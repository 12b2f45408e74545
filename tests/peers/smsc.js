// An SMSC made of npm's smpp, which shares no code with ours. One JSON object a line on standard output: first the
// port, then what it heard, as the library decoded it. What it does is decided by the first word of a text.
const smpp = require('smpp');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const hex = (octets) => Buffer.from(octets || []).toString('hex');
let number = 0;

const receipt = (session, pdu, id) =>
  session.deliver_sm(
    {
      source_addr: pdu.destination_addr,
      source_addr_ton: 1,
      source_addr_npi: 1,
      destination_addr: pdu.source_addr,
      esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:`,
      receipted_message_id: id,
      message_state: 2,
    },
    (answer) => say({ event: 'receipt answered', status: answer.command_status }),
  );

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('pdu', (pdu) => {
    if (pdu.command.startsWith('bind_')) {
      const isKnown = pdu.password === 'pw';
      say({ event: pdu.command, system_id: pdu.system_id, version: pdu.interface_version });
      session.send(pdu.response({ command_status: isKnown ? 0 : smpp.ESME_RINVPASWD, system_id: 'npm' }));
    } else if (pdu.command === 'submit_sm') {
      const sent = pdu.message_payload || pdu.short_message;
      const text = sent.message === undefined ? String(sent) : sent.message;
      const id = `npm-${(number += 1)}`;
      say({
        event: 'submit', id, text: typeof text === 'string' ? text : hex(text), udh: sent.udh ? sent.udh.map(hex) : [],
        from: pdu.source_addr, from_ton: pdu.source_addr_ton, to: pdu.destination_addr, data_coding: pdu.data_coding,
        esm_class: pdu.esm_class, validity: pdu.validity_period || '', sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments,
          pdu.sar_segment_seqnum].filter((value) => value !== undefined), wants_receipt: pdu.registered_delivery,
      });
      if (String(text).startsWith('THROTTLE')) {
        session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      } else {
        session.send(pdu.response({ message_id: id }));
        receipt(session, pdu, id);
      }
    } else if (pdu.command === 'enquire_link' || pdu.command === 'unbind') {
      say({ event: pdu.command });
      session.send(pdu.response());
      if (pdu.command === 'unbind') session.close();
    }
  });
});

server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
process.stdin.on('end', () => process.exit(0)).resume(); // ends with the test
