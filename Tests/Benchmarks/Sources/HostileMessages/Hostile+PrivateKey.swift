extension Hostile {
    /// A key for measuring, of no other use.
    static let rsaKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDjybDuj56QYclk
        wV46wK4UwDQE4WrheR5XnTktiOKiZD7U8xEHwlMMzUDYK+HZcrufY1rRa25UPLHF
        j5VMYXQK++Jel74f1uE0uCvdFRNJ3PWzC+ZyGHJaKu67RBm9jRgbL2bWj6yksKF/
        FGp48IJp+E04M6LxF9m4AQpj4IrPcl07uo/wyZSwaf+YrDh27Im6J2QZX1DBvs3t
        WvIHqUU0AO29S3sJKEugEEW9DdXYJ/5IAXe3ncC+eekfybWS/gCsJnXSPGAgE1df
        wiZSsui+uINnuT3q/+1G5N60zDPCHS2OAGTXMQo4wOueH4gqWuOJjR+kSMrxH//H
        +Dd3JCh9AgMBAAECggEADHvzh6z1Dp+1Ycwb8Hy6mGY3qPl7xJ4WlMxdTmAStRNp
        GChhi2XR7GvcEnJGlLGDk/GQ5X+4Um3oe6s/Y6ocVIpyi9GljhQrpUU0w49R+SSJ
        jhsTBwzM86EnvWQMRHBqXPm6Q/x9hKHY8As7503zL9X30XfkWxyosOYps3NNLZ+n
        VdI4srpgH3CbgVmRi8M7IT7da6DcN6VuwjyYq7xz0Hn35nXZzagezoc7kz9/0XKC
        tzkMZFfsAPOFPYj35dRAjNXsHTrd230v+1stfxzHxxrTIEHaKTJ3fLC+7RU1unUV
        +uptIRDa5uL2swiXDdiWlvIqci61nKHQEo9q3hcKJwKBgQD097HUQyrVWF0KQfOK
        LOqxJbfy11WHyYWtajdmRfZ3C11GvIqyiJIL1ljflHPwO94E2oJvCMIWBP+CirVs
        5Cw/eE4wEvyaZsqSZRc5t9/LnyGC0oML8jJpFf0kcVQyMXZm5RYKpxXRmiIHjD4z
        ICoCit3WzgdKtosjhXzogqzJdwKBgQDuC+0vT15T1Ikw1LDZJeA8ls+7ZN7gwCH1
        TxKQ2kppK5a8rMmmVpzYMblvUYrFPpzysAvTPHRqVq4wxHX0yRWmkGHziPDLvqZ4
        s8mR9fNxnRUCDMwQYAhHj/Rh0HjpFTJMBeK2BgJNP2vyz8cfDiLtBpDe4IIQoH69
        Rua7ybiaqwKBgQDEh1uxsVlR5BxwuEyMlFCNYndbagqCb9jBMa/Ua1i6VPG2aFjV
        tt+Eg6i1ZsJE/6K1PiDat6oORGBA+Mto2v3sxbXkt7bUoJbwMA4cDjqLf9VAwWbF
        VL/AsxVuAUXNJwWYsz2lujq09/VJHOhh1/IcLBCh3pTXCfBCxTtaxkudLQKBgChI
        GGDTG3EwG+8JbsuwHxvhoVFiplx95sEuGkQszD6zw5Q14QGm0m+7KlfuAn+SMtjW
        dYnPRxvfgyZ5eERt6p3+/LRLTgQMRPtT4R4z8ngdTrrEE5wJxBzn/UC4GF3I2nQG
        4vBOYAFWZBv4kQduSva1D7rHXvsVTZ0V7GGGpxh1AoGAMrriwR+wdGhSTp/oezwZ
        oHjCtD0JVUcYkFDeBLnXDnJWjoUK1cklZgIaXE350I5/UnwL1FYohu08C+0TRTJv
        hUwEG59fPh0SA8Ym2RGwW8REunpFBs6vGu27QbkdmaensA9zoJumZoC/ddA50fom
        YLKpvzCdoUWZMoRaGzyItR8=
        -----END PRIVATE KEY-----

        """
}
