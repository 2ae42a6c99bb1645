"""Column names of FOCUS 1.2 to 1.4 (Cost and Usage) and of the 1.5 draft.

FOCUS is a trademark of the FinOps Foundation; the column names are taken from its specification, CC-BY-4.0.
"""

FOCUS_COLUMNS = (
    "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName",
    "AllocatedTags", "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName",
    "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "CommitmentDiscountUnit", "CommitmentProgramEligibilityDetails", "ConsumedQuantity", "ConsumedUnit",
    "ContractApplied", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "HostProviderName",
    "InvoiceDetailId", "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory",
    "ServiceName", "ServiceProviderName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails",
    "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip

DRAFT_COLUMNS = ("ConsumerId", "CredentialDetails", "CredentialId", "PrincipalId", "TagDetails")
"""Of the 1.5 draft; accepted so that early exporters can be read."""

NEEDED_COLUMNS = (
    "BilledCost", "BillingCurrency", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargePeriodEnd", "ChargePeriodStart", "EffectiveCost", "ServiceName",
)  # fmt: skip
"""Mandatory in every version and needed here, with ServiceProviderName (1.3) or ProviderName (1.2)."""

READ_COLUMNS = (
    *NEEDED_COLUMNS, "AvailabilityZone", "BillingAccountId", "CapacityReservationId", "ChargeFrequency",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice",
    "CredentialId", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "PricingUnit", "ProviderName", "RegionId", "ResourceId", "ResourceName",
    "ResourceType", "ServiceCategory", "ServiceProviderName", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "Tags", "x_CostBasis", "x_CredentialId",
    "x_FailedRequests", "x_GrantedCurrency", "x_GrantedQuantity", "x_Model", "x_ModelId",
    "x_ReasoningTokens", "x_Requests", "x_RetriedRequests", "x_ServiceTier", "x_Source",
)  # fmt: skip
"""What is read of a row; the rest is accepted and left alone."""

QUANTITIES = (
    "CommitmentDiscountQuantity", "ContractedCost", "ContractedUnitPrice", "ListCost", "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "x_GrantedQuantity",
)  # fmt: skip
"""Optional amounts: each is empty or a number."""
