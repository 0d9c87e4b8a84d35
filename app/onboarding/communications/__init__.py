"""Messages with a policy: the letters that go out, what the trail keeps of them, and what people see before they send.

`send_message` is called by `advance` alone; who may send is decided by the engine and the permission to complete tasks.
"""
