"""The pure part of the chat: bytes in, values out. No socket, clock, thread or process is used in here.

Five nouns run through the whole program:

- a *command* asks for something (client to server);
- an *event* is a stored fact of a room; the messages among them are numbered 1, 2, 3 … with no hole;
- a *notice* tells something that isn't stored: presence, typing, refusals, answers;
- a *label* is the name that a client gives its command; the event or refusal carries it back;
- a *cursor* is the number of the last message of a room that a client has.
"""
