#include "agent/proof.h"

enum err proof_sign(const struct identity *identity, const struct request_facts *facts, struct proof *ret_proof, struct why *why)
{
        OWN(secret_key) struct secret_key key;
        secret_key_make(identity->seed, &key);
        ret_proof->header = "Firebreak-Signature";
        return request_sign(facts, &key, ret_proof->value, why);
}

enum err proof_mac(const struct identity *identity, const struct request_facts *facts, struct proof *ret_proof, struct why *why)
{
        ret_proof->header = "Firebreak-Mac";
        return request_mac(facts, identity->mac_key, ret_proof->value, why);
}
