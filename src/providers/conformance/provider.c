/* The provider's own table. */
#include "providers/conformance/conformance.h"

static int check(struct call *call, const struct site *site, struct site_check *ret)
{
    (void)call;
    (void)site;
    *ret = (struct site_check){
        .ok = true,
        .site_name = STR("conformance fixtures"),
        .site_version = STR("1"),
        .site_user = STR("suite"),
        .site_role = STR("suite"),
        .config_json = STR("{}"),
        .details_json = STR("{}"),
    };
    return OK;
}

const struct provider provider_conformance = {
    .key = STR_INIT("conformance"),
    .name = STR_INIT("MCP conformance suite"),
    .version = STR_INIT("1"),
    .tools = conformance_tools,
    .n_tools = CONFORMANCE_TOOLS,
    .jobs = conformance_jobs,
    .n_jobs = CONFORMANCE_JOBS,
    .prompts = conformance_prompts,
    .n_prompts = CONFORMANCE_PROMPTS,
    .resources = &conformance_resources,
    .features = PROVIDER_TOOLS_CHANGE | PROVIDER_PROMPTS_CHANGE | PROVIDER_RESOURCES_CHANGE |
                PROVIDER_RESOURCE_UPDATES | PROVIDER_LOGS | PROVIDER_LEGACY_SUBSCRIBE | PROVIDER_FOR_TESTS,
    .check = check,
};
