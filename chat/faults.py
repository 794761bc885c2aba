"""What a peer can do wrong, as codes with sentences: the peer's faults are values, our own are crashes."""

CODES = frozenset(
    {
        # form
        "malformed", "unknown_kind", "too_long", "too_large", "bad_label", "bad_text",
        # order and identity
        "out_of_order", "wrong_version", "bad_handshake", "passphrase_needed", "passphrase_wrong",
        "passphrase_unused", "bad_name", "name_taken", "name_alike", "name_reserved",
        # rooms
        "bad_room", "not_a_member", "no_such_person", "too_many_rooms", "not_yourself",
        # load and trouble
        "too_fast", "too_slow", "too_many_connections", "silent", "storage_full", "stopping",
    }
)  # fmt: skip


class PeerFault(Exception):
    """The peer broke a rule. `code` is for programs; `sentence` tells a person what to do.

    `label` names the command at fault, where there is one and it could be read.
    """

    def __init__(self, code: str, sentence: str, label: str = "") -> None:
        assert code in CODES, code
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.label = label
