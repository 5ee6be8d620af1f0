// The catalogue of what can go wrong: a code for the logs and the page, what it means, and what the operator does about it.

export interface Fault {
  readonly code: string;
  readonly means: string;
  readonly action: string;
}

const fault = (code: string, means: string, action: string): Fault => ({ code, means, action });

/** Every fault Forecourt reports; `docs` of the same list is in deploy/FAULTS.md and a test holds the two together. */
export const FAULTS = {
  journalUnavailable: fault(
    'FC-J01',
    'The journal cannot be written: the disk is full, read-only or failing. Chargers are asked to keep their messages.',
    'Free space on, or replace, the disk that holds the data directory; the gateway goes on by itself.',
  ),
  journalDied: fault(
    'FC-J02',
    'The thread that writes the journal has ended. The process ends, to be started again.',
    'Start it again where no service manager does, and keep the log: this is a defect.',
  ),
  journalLocked: fault(
    'FC-J03',
    'The journal is in use: another gateway runs on the same data directory. This one does not start.',
    'Stop the other one, or give this site its own data-directory.',
  ),
  journalDamaged: fault(
    'FC-J04',
    'The journal file is damaged. The gateway restarts, puts the file aside and goes on with everything that could be read of it; the log line says how much that was.',
    'Replace the disk: it is failing. Keep the file journal.db.damaged-... and what is beside it: it may hold transactions that no CSMS has yet.',
  ),
  journalTooNew: fault(
    'FC-J05',
    'The journal was written by a newer version of Forecourt than this one.',
    'Install the newer version again. Going back further needs the data directory as it was before the upgrade.',
  ),
  journalFull: fault(
    'FC-J06',
    'The journal has no room: what is left in it may not be given up, for a CSMS that decides is still to be told of it. Chargers are asked to keep their messages.',
    'Bring that CSMS back, or remove it from site.yaml; or raise journal.size-limit, or free space on the disk.',
  ),
  journalShed: fault(
    'FC-J07',
    'The journal ran out of room because a CSMS or a broker is away; what it could best do without was given up. No start and no end of a transaction that a deciding CSMS waits for is among it.',
    'Bring the CSMS or broker back; the log line says how much of what it will not be told.',
  ),
  journalChanged: fault(
    'FC-J08',
    'After a failure of the disk the journal does not hold what this process believes. The process ends, and the next one goes on with what the disk holds.',
    'Nothing at once: nothing that was acknowledged is lost. Check the disk.',
  ),
  dataDirectory: fault(
    'FC-J09',
    'The data directory cannot be used: it is not there, not a folder, not mounted, or not ours to write.',
    'The message says which. Mount the disk, correct data-directory in site.yaml, or give the folder to the user that runs the gateway.',
  ),
  cursorLost: fault(
    'FC-J10',
    'A damaged journal no longer told how far a CSMS had come. Where its transactions told it, the CSMS is sent what may be missing; else the starts and ends that the journal holds are kept as dead letters.',
    'Compare the transactions of that day with the CSMS; `forecourt journal` lists the dead letters and sends them again.',
  ),
  unknownStation: fault(
    'FC-S01',
    'A charger with an identity that site.yaml does not list tried to connect.',
    'Add it to site.yaml under stations, or correct the URL in the charger.',
  ),
  wrongPassword: fault(
    'FC-S02',
    'A charger presented a wrong password.',
    'Set the same password in the charger and in site.yaml.',
  ),
  duplicateIdentity: fault(
    'FC-S03',
    'A second connection came in under the identity of a connected charger.',
    'Check that no two chargers are configured with the same identity; after a network loss once is normal.',
  ),
  invalidFrame: fault(
    'FC-S04',
    'A charger sent a message that cannot be read, even after repair.',
    'Update the firmware of the charger; the wire trace shows the message.',
  ),
  repairedFrame: fault(
    'FC-S05',
    'A charger sends messages against its protocol; they are repaired by a known rule.',
    'Nothing has to be done; the firmware of the charger deserves an update.',
  ),
  ownFrameInvalid: fault(
    'FC-P01',
    'A message of the gateway itself would have broken the protocol and was not sent.',
    'Keep the log: this is a defect.',
  ),
  setupIncomplete: fault(
    'FC-S06',
    'A charger refused part of its set-up.',
    'See the log line for the part; without a fail-safe profile the charger is reserved at its full current while it is silent.',
  ),
  chargerListRefused: fault(
    'FC-S07',
    'A charger that offers a local authorization list did not take the list of known drivers.',
    'Nothing has to be done: it is tried again, ever more rarely. While the gateway itself is away this charger lets nobody in by a list.',
  ),
  limitRefused: fault(
    'FC-B01',
    'A charger refused or did not confirm a current limit; its neighbours are kept lower.',
    'Look at the charger; check that smart charging is enabled in it.',
  ),
  limitIgnored: fault(
    'FC-B02',
    'A charger draws more than it was told, although it confirmed the limit.',
    'Look at the charger; it is paused, then stopped, then taken out of service by itself.',
  ),
  meterLost: fault(
    'FC-B03',
    'A meter no longer answers: its circuit is held at the current that site.yaml gives for this case.',
    'Check the meter, its address and its cable.',
  ),
  overload: fault(
    'FC-B04',
    'The measured current of a circuit is above its breaker.',
    'The chargers are being lowered; if it stays, something else on the circuit draws too much.',
  ),
  pausedByStop: fault(
    'FC-B05',
    'For two minutes there was no current for a car whose charger cannot pause: its transaction was ended.',
    'The driver has to start again. If the charger can pause at 0 A, say so in site.yaml (smart-charging: { pause: zero }); if it happens often, give the circuit more current or the site fewer places.',
  ),
  gridOperatorLost: fault(
    'FC-B06',
    'A way by which the grid operator sets his limit has been silent for two minutes: the fail-safe limit of site.yaml holds.',
    'Check the broker, the CSMS or the contact that the log names. The limit ends when it is heard again with a word of its own, be it that there is no limit.',
  ),
  contactUnread: fault(
    'FC-B07',
    'A contact by which the grid operator sets his limit cannot be read; after two minutes the fail-safe limit holds.',
    'Check the I/O module, its address and its cable, or the file of the input line and who may read it.',
  ),
  deadLetter: fault(
    'FC-C01',
    'A CSMS refused a transaction message as often as it may be sent; it is kept and the queue goes on.',
    'Ask the operator of the CSMS for the reason given; `forecourt journal` lists the message.',
  ),
  csmsRefused: fault(
    'FC-C02',
    'A CSMS cannot be reached, or does not accept the site. What it has to be told waits in the journal.',
    'If the uplink works, check identity, password and URL with the operator of the CSMS; the log line has the reason.',
  ),
  csmsInvalid: fault(
    'FC-C03',
    'A CSMS sent a message that breaks the protocol.',
    'Tell the operator of the CSMS; the wire trace shows the message.',
  ),
  csmsUntrusted: fault(
    'FC-C04',
    'The TLS connection to a CSMS does not hold: its certificate has expired, is for another name, or is signed by nobody known here. What it has to be told waits in the journal.',
    'Check the date of this machine first. Then have the operator of the CSMS renew the certificate, or name the authority that signed it under csms: certificate-authority. The gateway keeps trying.',
  ),
  modbusSilent: fault(
    'FC-M01',
    'A Modbus device does not answer.',
    'Check its address, unit number and cable, and that no other master holds the connection.',
  ),
  modbusUnverified: fault(
    'FC-M02',
    'The profile of a Modbus device contains registers that were never confirmed on hardware.',
    'Watch the first charge; report what works.',
  ),
  modbusUnreachable: fault(
    'FC-M03',
    'The way to a Modbus bus or device cannot be opened or breaks: a serial adapter is unplugged or in use, or nobody takes the TCP connection. It is tried again by itself, at least every ten seconds.',
    'Serial: check that the adapter is plugged in, that site.yaml names it (ls -l /dev/serial/by-id), that the service may use it (group dialout) and that no other program has it. Network: check address, port and cable, and whether another master holds the only connection.',
  ),
  modbusBusSilent: fault(
    'FC-M04',
    'No device on a bus answers, not a byte comes back.',
    'Check that the wires A and B are not swapped, the common ground, the power of the devices, speed and parity, and the unit numbers. One device alone on a short cable tells whether it is the line.',
  ),
  modbusGarbled: fault(
    'FC-M05',
    'What comes back on a bus is often no valid frame.',
    'Check speed, parity and stop bits against every device; 120 ohm at both ends of the line and nowhere else; the shield and the way beside power cables; and that no two devices have one unit number.',
  ),
  modbusMisfit: fault(
    'FC-M06',
    'Answers come that do not fit the question: of another unit, function, length or transaction. They are dropped.',
    'Look for a second master on the line or behind the same serial server, for two devices with one unit number, and whether `device` in site.yaml is the model that is there.',
  ),
  modbusUnasked: fault(
    'FC-M07',
    'Something talks on a bus while the gateway asks nothing.',
    'Look for a second master on the line (a home energy manager, an inverter, another program); a bus has one. A line without termination or bias hears noise.',
  ),
  modbusLate: fault(
    'FC-M08',
    'A device on a bus answers after its time is over; the answer is dropped.',
    'Look at the time-outs of a serial server or radio link in between, and whether a second master makes the device slow.',
  ),
  consoleUnavailable: fault(
    'FC-H01',
    'The console cannot listen at its address: another program has the port. The gateway works without it and tries again.',
    'Give the console another port in site.yaml, or end the other program; `forecourt status` and `forecourt journal` need it.',
  ),
  consoleUsersLost: fault(
    'FC-H02',
    'The file with the users of the console cannot be read or written.',
    'Look at the disk and at `console/accounts.json` in the data directory. Nobody can sign in meanwhile; `forecourt users add` on the box makes a new user.',
  ),
  consolePassword: fault(
    'FC-H03',
    'Somebody has tried to sign in at the console with a wrong name or password.',
    'If it comes again and again, find out whose the address in the log line is. Attempts are limited by themselves.',
  ),
  stuck: fault(
    'FC-G01',
    "Part of the gateway no longer moves: the journal's thread, or load balancing. The service manager is told no longer that it lives, and starts it again.",
    'Keep the log: unless the disk hangs, this is a defect. Nothing that was answered is lost.',
  ),
  orphanTransaction: fault(
    'FC-T01',
    'A charger reported the middle or the end of a transaction whose start the gateway never saw.',
    'The transaction is kept and delivered; its start is an estimate.',
  ),
  timeUnset: fault(
    'FC-W01',
    'The gateway started without knowing the time: the clock of its box stands before the last time it has seen. It goes on from that one; what it stamps is set right when a time server or a CSMS tells the time.',
    'Nothing, if the uplink is on its way. If it stays, give the box a time server or a battery for its clock.',
  ),
  timeSet: fault(
    'FC-W02',
    'The time that the gateway went by was wrong, and was set by a time server or by the authority among the CSMSs.',
    'The log line says by whom and by how much. If it comes again, look for what sets the clock of the box.',
  ),
  timeEstimated: fault(
    'FC-W03',
    'The box was started several times before it learned the time. How long it was without power in between nobody knows: times from before the last start are estimates, in the right order.',
    'Compare the bills of that time with the clocks of the chargers if it matters. A battery for the clock prevents it.',
  ),
  timeContradicted: fault(
    'FC-W04',
    'A CSMS tells a time that is more than five minutes from that of the gateway, and may not set it.',
    'Find out whose clock is wrong: that of the CSMS, or the time server of the box.',
  ),
  systemClockJumped: fault(
    'FC-W05',
    'The clock of the box has jumped. Where nothing speaks for the new time, the gateway goes on by its own reckoning.',
    'Find out what sets the clock of the box; the log line says by how much in milliseconds, and whether it was followed.',
  ),
  brokerLost: fault(
    'FC-Q01',
    'An MQTT broker cannot be reached, or does not take what it is sent. Events wait in the journal.',
    'Check the URL, the credentials and the uplink; for the local broker, that its port is free.',
  ),
  brokerBehind: fault(
    'FC-Q02',
    'An MQTT broker was away for so long that the oldest events waiting for it were given up.',
    'Bring the broker back, or remove it from site.yaml. No CSMS and no bill is touched: they have their own queues.',
  ),
  upgradeUntrusted: fault(
    'FC-U01',
    'The file of an upgrade is not signed by anybody whom this installation trusts. Nothing was changed.',
    'Take the file from whoever made it, whole. To trust another maker, put his public key (PEM) into /etc/forecourt/keys, as root.',
  ),
  upgradeUnfit: fault(
    'FC-U02',
    'The file of an upgrade is damaged, is not for this machine, or is no newer than what runs. Nothing was changed.',
    'The message says which. Fetch the file again, take the one for this processor and C library, or write --force for an older or the same version.',
  ),
  upgradeRefused: fault(
    'FC-U03',
    'The new release cannot run this site: it refuses its site.yaml or its journal. Nothing was changed.',
    'Correct what its check names; the release that runs takes the corrected file as well. Then upgrade again.',
  ),
  upgradeReturned: fault(
    'FC-U04',
    'A new release did not become healthy within its trial, and the former one runs again. Where the journal had been migrated, it is as it was before; what came in meanwhile is in journal.db.newer beside it.',
    'The reason says what did not come back. Look whether it came back with the former release: if so keep the log, this is a defect of the new one. If not, mend that and upgrade again.',
  ),
  upgradeNoRoom: fault(
    'FC-U05',
    'The disk has no room for a second release beside the one that runs, or for a copy of the journal. Nothing was changed.',
    'Free as much as the message says.',
  ),
  siteFileUnwritable: fault(
    'FC-F01',
    'site.yaml, or the folder of its revisions in the data directory, cannot be written: a change that was asked for did not happen.',
    'Do what the log line says, mostly give the folder to the user that runs the gateway, and ask again.',
  ),
  siteNotInForce: fault(
    'FC-F02',
    'A site.yaml without faults could not be put in force. The gateway goes on with the one before, unless the log line says otherwise.',
    'Look into the log for the reason, and apply it again or restart the gateway.',
  ),
  siteTakenBack: fault(
    'FC-F03',
    'A change of site.yaml that nobody kept in time was taken back, or one on trial when the gateway ended without being stopped.',
    'Apply it again and keep it with forecourt keep, if it was meant to stay; forecourt history shows what it was.',
  ),
  siteFaulty: fault(
    'FC-F04',
    'site.yaml was to be read anew and has faults: the gateway goes on with the one before.',
    'Correct the file, as forecourt check shows, and reload it.',
  ),
} as const satisfies Record<string, Fault>;
